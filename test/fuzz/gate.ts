/** The gate for acknowledgements between hosts that send any TCP: what leaves is a subset of what entered, in order, and no slot is lost. */
import { NEVER } from "../../src/clock.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool, type Slot } from "../../src/memory/packet-pool.ts";
import { AckGate } from "../../src/portal/receiving/ack-gate.ts";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { type Family, Segment, TCP_FLAG, writeSegment } from "../support/packets/slots.ts";
import { seedsOf } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { Operations } from "./operations.ts";
import { check, type Target } from "./target.ts";

const SLOTS = 128;
const CONVERSATIONS = 4;
const FLAGS = [TCP_FLAG.ACK, TCP_FLAG.ACK, TCP_FLAG.ACK, TCP_FLAG.SYN, TCP_FLAG.SYN | TCP_FLAG.ACK, TCP_FLAG.RST];

interface Entered {
  readonly order: number;
  readonly conversation: number;
  /** Number that it acknowledges, if it is an acknowledgement and no more. */
  readonly acknowledged: number;
}

class Bench {
  readonly #pool = new PacketPool(SLOTS, 1_500);
  readonly #gate = new AckGate(this.#pool, 7);
  readonly #parsed = new ParsedHeader();
  readonly #batch = new PacketBatch(6);
  readonly #entered = new Map<Slot, Entered>();
  /** The latest packet with news that left, by conversation, and the number it acknowledged. */
  readonly #lastNews = new Float64Array(CONVERSATIONS).fill(-1);
  readonly #told = new Float64Array(CONVERSATIONS);
  readonly #sent = new Float64Array(CONVERSATIONS).fill(1);
  readonly #acked = new Float64Array(CONVERSATIONS).fill(1);
  readonly #flows = {
    needsAckGate: true,
    isSaturated: () => this.#isSaturated,
    onRound: (_bucket: number, length: number) => check(length >= 0, "a round of less than nothing"),
  };
  #isSaturated = false;
  /** The packet made last. */
  #isSpoilt = false;
  #order = 0;
  #now = 0;

  attempt(input: Uint8Array): void {
    const operations = new Operations(input);
    this.#flows.needsAckGate = !operations.oneIn(8);
    while (!operations.isDone) this.#step(operations);
    this.#drain();
    check(this.#pool.free === SLOTS, `${SLOTS - this.#pool.free} slots are lost`);
    this.#entered.clear();
  }

  #step(operations: Operations): void {
    const what = operations.below(10);
    const conversation = operations.below(CONVERSATIONS);
    if (what < 4) this.#send(operations, conversation);
    else if (what < 8) this.#arrive(operations, conversation);
    else if (what === 8) {
      this.#now += operations.oneIn(20) ? 6_000_000 : operations.below(30_000);
      this.#due();
    } else this.#isSaturated = operations.oneIn(4);
  }

  #send(operations: Operations, conversation: number): void {
    const sequence = this.#sent[conversation] as number;
    const payload = operations.below(8) * 180;
    const isSyn = operations.oneIn(40);
    const flags = isSyn ? TCP_FLAG.SYN : TCP_FLAG.ACK;
    const back = operations.oneIn(10) ? operations.below(5_000) : 0;
    const slot = this.#packet(operations, conversation, 0, Math.max(0, sequence - back), flags, isSyn ? 0 : payload, 1);
    this.#sent[conversation] = sequence + (isSyn ? 1 : payload);
    if (this.#parsed.parse(this.#pool.view, this.#pool.start[slot] as number, this.#pool.length[slot] as number))
      this.#gate.onOutbound(this.#now, slot, this.#parsed);
    this.#pool.release(slot);
  }

  #arrive(operations: Operations, conversation: number): void {
    this.#batch.clear();
    for (let i = 1 + operations.below(4); i > 0; i--) {
      const step = operations.oneIn(12) ? 100_000 - operations.below(65_536) * 3 : operations.below(12) * 400;
      const acked = Math.max(0, (this.#acked[conversation] as number) + step);
      if (acked <= (this.#sent[conversation] as number)) this.#acked[conversation] = acked;
      const flags = operations.oneIn(10) ? (FLAGS[operations.below(FLAGS.length)] as number) : TCP_FLAG.ACK;
      const payload = operations.oneIn(12) ? operations.below(90) : 0;
      const slot = this.#packet(operations, conversation, 1, 1, flags, payload, acked);
      const isPlain = flags === TCP_FLAG.ACK && payload === 0 && !this.#isSpoilt;
      this.#entered.set(slot, { order: this.#order++, conversation, acknowledged: isPlain ? acked : 0 });
      this.#batch.push(slot);
    }
    this.#gate.filter(this.#now, this.#batch, 0, this.#parsed, this.#flows);
    this.#leave();
    this.#due();
  }

  #due(): void {
    this.#batch.clear();
    this.#gate.pollDue(this.#now, this.#batch);
    const isAll = !this.#batch.isFull;
    this.#leave();
    check(!isAll || this.#gate.deadline() > this.#now, "is late");
  }

  #drain(): void {
    for (let turn = 0; this.#gate.deadline() < NEVER; turn++) {
      check(turn < SLOTS, "never ends");
      this.#now = Math.max(this.#now, this.#gate.deadline());
      this.#due();
    }
  }

  #leave(): void {
    for (let i = 0; i < this.#batch.count; i++) {
      const slot = this.#batch.at(i);
      const entered = this.#entered.get(slot);
      check(entered !== undefined, "gave a packet that did not enter");
      this.#entered.delete(slot);
      if (entered) this.#compare(entered);
      this.#pool.release(slot);
    }
  }

  /** Checks that packets with news for the host leave in the order they came. */
  #compare({ order, conversation, acknowledged }: Entered): void {
    if (acknowledged <= (this.#told[conversation] as number)) return;
    check(order > (this.#lastNews[conversation] as number), "out of order");
    this.#told[conversation] = acknowledged;
    this.#lastNews[conversation] = order;
  }

  #packet(
    operations: Operations,
    conversation: number,
    from: 0 | 1,
    sequence: number,
    flags: number,
    payload: number,
    acknowledgement: number,
  ): Slot {
    const slot = this.#pool.take();
    check(slot >= 0, "slots are lost");
    const segment = new Segment();
    const [near, far] = [1_234 + (conversation >> 1), 80];
    segment.sourcePort = from === 0 ? near : far;
    segment.destinationPort = from === 0 ? far : near;
    Object.assign(segment, { sequence: sequence >>> 0, flags, payload, acknowledgement: acknowledgement >>> 0 });
    writeSegment(this.#pool, slot, (conversation % 2 === 0 ? 4 : 6) as Family, from, segment);
    this.#isSpoilt = operations.oneIn(16);
    if (this.#isSpoilt) this.#spoil(operations, slot);
    return slot;
  }

  /** Changes a byte of the headers, or cuts off the end. */
  #spoil(operations: Operations, slot: Slot): void {
    const { bytes, start, length } = this.#pool;
    if (operations.oneIn(2)) bytes[(start[slot] as number) + operations.below(60)] = operations.below(256);
    else length[slot] = Math.min(length[slot] as number, operations.below(80));
  }
}

export const GATE: Target = {
  draw: (random) => mutate(random, seedsOf("gate"), 300),
  start() {
    const bench = new Bench();
    return (_random, input) => bench.attempt(input);
  },
};
