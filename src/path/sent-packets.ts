// @hot
/**
 * Records of the datagrams a path has sent: a ring by packet number, in parallel typed arrays that double when full.
 * Only datagrams that ask for acknowledgement are recorded in flight; the others leave an empty record.
 */
import type { Micros } from "../clock.ts";

export const SENT = { EMPTY: 0, IN_FLIGHT: 1, ACKED: 2, LOST: 3 } as const;

const INITIAL_CAPACITY = 1_024;
/** Datagrams in flight on one path; 1 Gbit/s for 1.5 s. */
const MAX_CAPACITY = 131_072;

export class SentPackets {
  #state = new Uint8Array(INITIAL_CAPACITY);
  #bytes = new Uint16Array(INITIAL_CAPACITY);
  #sentAt = new Float64Array(INITIAL_CAPACITY);
  #kept = new Int32Array(INITIAL_CAPACITY);
  #total = new Float64Array(INITIAL_CAPACITY);
  #sentBytes = 0;
  #mask = INITIAL_CAPACITY - 1;
  /** Oldest packet number with a record, and oldest that may be in flight. */
  #oldest = 0;
  #firstInFlight = 0;
  /** The next packet number. */
  next = 0;
  /** The largest number the peer has reported, -1 before the first report. */
  largestReported = -1;
  bytesInFlight = 0;
  packetsInFlight = 0;

  /** True if no further record fits: the path must wait. */
  get isFull(): boolean {
    return this.next - this.#firstInFlight >= MAX_CAPACITY;
  }

  /** Settled records are kept a while, so that a late acknowledgement of what was taken for lost is recognised. */
  get oldest(): number {
    return this.#oldest;
  }

  get firstInFlight(): number {
    return this.#firstInFlight;
  }

  /**
   * Records the next packet number; `bytes` of 0 for a datagram that asks for no acknowledgement.
   * @param size bytes of the datagram, whatever it asks for
   * @param kept number to return when it is settled, -1 for none
   */
  add(now: Micros, bytes: number, size: number, kept: number): number {
    if (this.next - this.#oldest > this.#mask) this.#makeRoom();
    const number = this.next++;
    const i = number & this.#mask;
    this.#state[i] = bytes === 0 ? SENT.EMPTY : SENT.IN_FLIGHT;
    this.#bytes[i] = bytes;
    this.#sentAt[i] = now;
    this.#kept[i] = kept;
    this.#sentBytes += size;
    this.#total[i] = this.#sentBytes;
    if (bytes > 0) {
      this.bytesInFlight += bytes;
      this.packetsInFlight++;
    } else if (this.#firstInFlight === number) this.#firstInFlight++;
    return number;
  }

  stateOf(number: number): number {
    return number < this.#oldest || number >= this.next ? SENT.EMPTY : (this.#state[number & this.#mask] as number);
  }

  bytesOf(number: number): number {
    return this.#bytes[number & this.#mask] as number;
  }

  /** Returns the number kept with a datagram in flight, -1 for none. */
  keptOf(number: number): number {
    return this.#kept[number & this.#mask] as number;
  }

  sentAt(number: number): Micros {
    return this.#sentAt[number & this.#mask] as number;
  }

  /** Returns the bytes sent up to this datagram, that included, of all kinds. */
  totalAt(number: number): number {
    return this.#total[number & this.#mask] as number;
  }

  /** Takes a datagram out of flight as `SENT.ACKED` or `SENT.LOST`; returns the number kept with it, or -1. */
  settle(number: number, state: number): number {
    const i = number & this.#mask;
    this.bytesInFlight -= this.#bytes[i] as number;
    this.packetsInFlight--;
    this.#state[i] = state;
    const kept = this.#kept[i] as number;
    this.#kept[i] = -1;
    return kept;
  }

  /** Notes that a datagram declared lost has arrived after all. */
  markSpurious(number: number): void {
    this.#state[number & this.#mask] = SENT.ACKED;
  }

  /** Moves on from the settled records at the old end. */
  trim(): void {
    while (this.#firstInFlight < this.next && this.#state[this.#firstInFlight & this.#mask] !== SENT.IN_FLIGHT) {
      this.#firstInFlight++;
    }
  }

  #makeRoom(): void {
    if (
      this.#firstInFlight - this.#oldest > (3 * this.#mask) / 4 ||
      (this.#mask + 1 >= MAX_CAPACITY && this.#firstInFlight > this.#oldest)
    ) {
      this.#oldest = this.#firstInFlight;
    } else this.#grow();
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const state = new Uint8Array(capacity);
    const bytes = new Uint16Array(capacity);
    const sentAt = new Float64Array(capacity);
    const kept = new Int32Array(capacity);
    const total = new Float64Array(capacity);
    for (let number = this.#oldest; number < this.next; number++) {
      const from = number & this.#mask;
      const to = number & (capacity - 1);
      state[to] = this.#state[from] as number;
      bytes[to] = this.#bytes[from] as number;
      sentAt[to] = this.#sentAt[from] as number;
      kept[to] = this.#kept[from] as number;
      total[to] = this.#total[from] as number;
    }
    this.#state = state;
    this.#bytes = bytes;
    this.#sentAt = sentAt;
    this.#kept = kept;
    this.#total = total;
    this.#mask = capacity - 1;
  }
}
