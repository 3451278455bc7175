// @hot
/** Gives every packet its flow's bucket and its sequence in it. Flows that share a bucket share an order, which does no harm. */
import { PACKET_FLAG, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { BUCKET_MASK, SEQUENCE_MASK } from "../wire/data.ts";
import { flowHash, type ParsedHeader } from "../wire/ip.ts";
import { TRAFFIC } from "./classify.ts";

/** Salt that makes bare acknowledgements a flow of their own, so that they do not wait with or for the content of their direction. */
const ACK_SALT = 0x9e3779b9;
/** Number of bits of the hash by which flows are remembered. */
const REMEMBERED_BITS = 16;

export class Flows {
  readonly #next = new Uint32Array(BUCKET_MASK + 1);
  readonly #salt: number;
  /** Hash of the flow last seen in each place; a flow that is found there is not new. */
  readonly #met = new Uint32Array(1 << REMEMBERED_BITS);

  /** @param salt random per run */
  constructor(salt: number) {
    this.#salt = salt;
  }

  /**
   * Writes the packet's bucket, and into its flags whether the flow is new or urgent.
   * @param traffic one of `TRAFFIC`
   */
  recognise(pool: PacketPool, slot: Slot, parsed: ParsedHeader, traffic: number): number {
    const salt = traffic === TRAFFIC.ACKNOWLEDGEMENT ? this.#salt ^ ACK_SALT : this.#salt;
    const hash = flowHash(pool.view, pool.start[slot] as number, parsed, salt);
    const place = hash >>> (32 - REMEMBERED_BITS);
    const isNewFlow = this.#met[place] !== hash;
    this.#met[place] = hash;
    const isPrompt = traffic >= TRAFFIC.ACKNOWLEDGEMENT;
    pool.flow[slot] = hash & BUCKET_MASK;
    pool.flags[slot] =
      (pool.flags[slot] as number) | (isNewFlow ? PACKET_FLAG.NEW_FLOW : 0) | (isPrompt ? PACKET_FLAG.PROMPT : 0);
    return hash & BUCKET_MASK;
  }

  /** Returns the bucket of the flow in the opposite direction, which the answers to this packet belong to. */
  answerBucket(view: DataView, start: number, parsed: ParsedHeader): number {
    return flowHash(view, start, parsed, this.#salt, true) & BUCKET_MASK;
  }

  /** Writes the sequence into the pool's columns. */
  assign(pool: PacketPool, slot: Slot): void {
    const bucket = pool.flow[slot] as number;
    const sequence = this.#next[bucket] as number;
    this.#next[bucket] = (sequence + 1) & SEQUENCE_MASK;
    pool.sequence[slot] = sequence;
  }

  /** Lets all flows begin with sequence 0 again. */
  reset(): void {
    this.#next.fill(0);
  }
}
