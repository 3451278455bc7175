/** The contract of a resequencer, which restores the order of packets within flows before they go to the host, with a bounded wait. */
import type { Micros } from "../clock.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import type { Slot } from "../memory/packet-pool.ts";

export interface Resequencer {
  readonly name: string;
  /** Number of packets held now. */
  readonly held: number;
  /** Counts since the start of packets that were held, of holes given up by time, and of packets that came after that. */
  readonly heldTotal: number;
  readonly expired: number;
  readonly late: number;
  /** Longest wait of an early packet, µs; set by the sender, who knows the paths. */
  hold: Micros;
  /** Marks packets that the sender will not send again, so that none waits for them. */
  abandon(now: Micros, bucket: number, sequence: number, count: number): void;
  /** Lets all sequences begin anew, for a new run of the peer. */
  reset(now: Micros): void;
  /** Takes a packet in, then owning its slot; flow, class and sequence are in the pool's columns. */
  push(now: Micros, slot: Slot): void;
  /** Appends the packets that are ready to `out`, whose owner then has the slots; returns their number. */
  poll(now: Micros, out: PacketBatch): number;
  /** Returns the time at which `poll` next has a packet that it has not now; `NEVER` if only a packet can change that. */
  deadline(): Micros;
}
