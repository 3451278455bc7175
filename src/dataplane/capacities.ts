/** The amounts that the data plane moves at once. */

/** Slots of the arena: for the queue, the paths, the resequencer, and batches between them. */
export const SLOTS = 8_192;
/** Slots kept for the network: with fewer free ones the host's packets wait in the kernel. */
export const RESERVED_SLOTS = 512;
/** Packets or datagrams of a batch. */
export const BATCH = 256;
/** Reads of one source before the others get their turn. */
export const READS_PER_TURN = 8;
