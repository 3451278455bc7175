// @hot
/**
 * The arena: one allocation at start, cut into slots. A packet is a slot number; its bytes stay where they were read.
 * What is known of each slot lies in parallel typed arrays. A slot has one owner at a time, or several counted by `retain`.
 *
 *     slot start                                                         slot start + slotSize
 *     | headroom (62)          | packet (up to capacity)    | tailroom (64+) |
 *       datagram header grows    start[slot], length[slot]    authentication grows
 *       to the left                                           to the right
 *
 * A datagram that carries one packet begins 14 bytes before it, on a multiple of 16: hashes and ciphers read words.
 */
import { assert } from "../errors.ts";

/** Index of a slot in the arena; -1 stands for none. */
export type Slot = number;

export const NO_SLOT: Slot = -1;

/** Bytes kept free in front of a packet for datagram header and messages. */
export const HEADROOM = 62;
/** Offset of a received datagram in its slot, at which the packet it carries has its full headroom. */
const DATAGRAM_ORIGIN = 48;
/** Bytes kept free behind a packet for authentication. */
export const TAILROOM = 64;

/** Bits of `PacketPool.flags`. */
export const PACKET_FLAG = {
  /** The TCP or UDP checksum field holds only the pseudo-header's sum (virtio NEEDS_CSUM). */
  CHECKSUM_PARTIAL: 1,
  /** The kernel that handed the packet over has verified its TCP or UDP checksum (virtio DATA_VALID). */
  CHECKSUM_VALID: 2,
  /** One of the datagrams that carried it has arrived. */
  DELIVERED: 4,
  /** The packet goes before others, by the best path, and is never put in order. */
  PROMPT: 8,
  /** The first packet of its flow as far as the queue remembers. */
  NEW_FLOW: 16,
  /** The packet of a sparse flow (RFC 8290). */
  SPARSE: 32,
  /** The host sends this content again: lost once more, it would wait for its retransmission timeout. */
  AGAIN: 64,
} as const;

export class PacketPool {
  readonly memory: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Slots in the arena. */
  readonly count: number;
  /** Bytes of a packet that fit a slot. */
  readonly capacity: number;
  /** Offset in the arena of the first byte of the packet or datagram. */
  readonly start: Uint32Array;
  /** Bytes of the packet or datagram. */
  readonly length: Uint32Array;
  readonly flags: Uint8Array;
  /** Bucket of the flow, given by the ingress queue. */
  readonly flow: Uint16Array;
  /** Sequence of the packet in its flow. */
  readonly sequence: Uint32Array;
  /** Delivery class of the flow when the packet joined it. */
  readonly class: Uint8Array;
  /** Time at which the packet entered, later that at which it was first sent, µs. */
  readonly time: Float64Array;
  /** Datagrams that carried it, and how many of them are neither acknowledged nor declared lost. */
  readonly attempts: Uint8Array;
  readonly inFlight: Uint8Array;
  readonly #refs: Uint8Array;
  readonly #free: Int32Array;
  #freeCount: number;

  /**
   * @param count slots in the arena
   * @param capacity largest packet or datagram in bytes, headroom and tailroom not counted
   */
  constructor(count: number, capacity: number) {
    this.count = count;
    this.slotSize = (HEADROOM + capacity + TAILROOM + 63) & ~63;
    this.capacity = this.slotSize - HEADROOM - TAILROOM;
    this.memory = new ArrayBuffer(count * this.slotSize);
    this.bytes = new Uint8Array(this.memory);
    this.view = new DataView(this.memory);
    this.start = new Uint32Array(new ArrayBuffer(4 * count));
    this.length = new Uint32Array(new ArrayBuffer(4 * count));
    this.flags = new Uint8Array(new ArrayBuffer(count));
    this.flow = new Uint16Array(new ArrayBuffer(2 * count));
    this.sequence = new Uint32Array(new ArrayBuffer(4 * count));
    this.class = new Uint8Array(new ArrayBuffer(count));
    this.attempts = new Uint8Array(new ArrayBuffer(count));
    this.inFlight = new Uint8Array(new ArrayBuffer(count));
    this.time = new Float64Array(new ArrayBuffer(8 * count));
    this.#refs = new Uint8Array(new ArrayBuffer(count));
    this.#free = new Int32Array(new ArrayBuffer(4 * count));
    // Low slots on top: a lightly used arena touches few pages.
    for (let i = 0; i < count; i++) this.#free[i] = count - 1 - i;
    this.#freeCount = count;
  }

  readonly slotSize: number;

  /** Slots without an owner. */
  get free(): number {
    return this.#freeCount;
  }

  /** Returns the arena offset of a packet that has its full headroom. */
  origin(slot: Slot): number {
    return slot * this.slotSize + HEADROOM;
  }

  /** Returns the arena offset for a received datagram. */
  datagramOrigin(slot: Slot): number {
    return slot * this.slotSize + DATAGRAM_ORIGIN;
  }

  /** Returns a slot that the caller owns, its start at the origin, length and flags 0; `NO_SLOT` if all are in use. */
  take(): Slot {
    if (this.#freeCount === 0) return NO_SLOT;
    const slot = this.#free[--this.#freeCount] as number;
    this.#refs[slot] = 1;
    this.start[slot] = slot * this.slotSize + HEADROOM;
    this.length[slot] = 0;
    this.flags[slot] = 0;
    this.attempts[slot] = 0;
    this.inFlight[slot] = 0;
    return slot;
  }

  /** Adds an owner, of at most 255. */
  retain(slot: Slot): void {
    const refs = this.#refs[slot] as number;
    assert(refs > 0 && refs < 255, "a retained slot is owned");
    this.#refs[slot] = refs + 1;
  }

  /** Removes an owner; without any the slot is free again. */
  release(slot: Slot): void {
    const refs = this.#refs[slot] as number;
    assert(refs > 0, "a released slot is owned");
    this.#refs[slot] = refs - 1;
    if (refs === 1) this.#free[this.#freeCount++] = slot;
  }

  /** True if one of the datagrams that carried the packet has arrived. */
  isDelivered(slot: Slot): boolean {
    return ((this.flags[slot] as number) & PACKET_FLAG.DELIVERED) !== 0;
  }

  /** True if the packet was delivered or no datagram in flight carries it. */
  isSettled(slot: Slot): boolean {
    return this.inFlight[slot] === 0 || this.isDelivered(slot);
  }

  /** Returns the number of owners. */
  owners(slot: Slot): number {
    return this.#refs[slot] as number;
  }
}
