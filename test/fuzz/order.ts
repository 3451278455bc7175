/** The resequencer under a peer that numbers, repeats, leaves out and abandons as it likes. */
import { NEVER } from "../../src/clock.ts";
import { DropCounters } from "../../src/drops.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { PerFlowResequencer } from "../../src/resequencer/per-flow.ts";
import { seedsOf } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { Operations } from "./operations.ts";
import { check, type Target } from "./target.ts";

const SLOTS = 128;
const FLOWS = 3;
const MASK = 0xffffff;

class Bench {
  readonly #pool = new PacketPool(SLOTS, 64);
  readonly #resequencer = new PerFlowResequencer(this.#pool, FLOWS, new DropCounters());
  readonly #batch = new PacketBatch(8);
  /** The next sequence of each flow, and what of it came out. */
  readonly #next = new Array<number>(FLOWS).fill(0);
  readonly #seen = Array.from({ length: FLOWS }, () => new Set<number>());
  #now = 0;
  #given = 0;
  #in = 0;

  attempt(input: Uint8Array): void {
    const operations = new Operations(input);
    while (!operations.isDone) this.#step(operations);
    this.#poll();
    check(this.#pool.free === SLOTS - this.#resequencer.held, "slots");
    check(this.#resequencer.held <= SLOTS / 2, "holds more than its share");
    check(this.#given <= this.#in, "gave more than it got");
  }

  #step(operations: Operations): void {
    const what = operations.below(16);
    const flow = operations.below(FLOWS);
    if (what < 9) this.#push(operations, flow);
    else if (what < 12) this.#poll();
    else if (what === 12) {
      const from = ((this.#next[flow] as number) - operations.below(12)) & MASK;
      this.#resequencer.abandon(this.#now, flow, from, operations.below(24));
    } else if (what === 13) this.#now += operations.below(40_000);
    else if (what === 14) this.#resequencer.hold = operations.below(60_000);
    else this.#disturb(operations, flow);
  }

  /** Does something rare: a far jump, a new run, or time until nothing waits. */
  #disturb(operations: Operations, flow: number): void {
    const what = operations.below(3);
    if (what === 0) {
      this.#next[flow] = ((this.#next[flow] as number) + 60_000 + operations.below(65_536) * 100) & MASK;
      this.#seen[flow]?.clear();
    } else if (what === 1) {
      this.#poll();
      this.#resequencer.reset();
      this.#poll();
      this.#next.fill(0);
      for (const seen of this.#seen) seen.clear();
    } else this.#wait();
  }

  #push(operations: Operations, flow: number): void {
    if (this.#pool.free === 0) this.#poll();
    const slot = this.#pool.take();
    if (slot < 0) return;
    const next = this.#next[flow] as number;
    const sequence = (next + (operations.oneIn(3) ? operations.below(17) - 12 : 0)) & MASK;
    this.#next[flow] = ((operations.oneIn(8) ? next + operations.below(9) : next) + 1) & MASK;
    this.#pool.flow[slot] = flow;
    this.#pool.sequence[slot] = sequence;
    this.#pool.class[slot] = operations.oneIn(5) ? operations.below(4) : 1;
    this.#in++;
    this.#resequencer.push(this.#now, slot);
  }

  /** Lets time pass until all that waits has been abandoned. */
  #wait(): void {
    for (let turn = 0; this.#resequencer.held > 0; turn++) {
      const at = this.#resequencer.deadline();
      check(at < NEVER, "holds without a deadline");
      check(turn < 4 * SLOTS, "never ends");
      this.#now = Math.max(this.#now, at);
      this.#poll();
    }
  }

  #poll(): void {
    for (;;) {
      this.#batch.clear();
      if (this.#resequencer.poll(this.#now, this.#batch) === 0) break;
      for (let i = 0; i < this.#batch.count; i++) this.#take(this.#batch.at(i));
    }
    check(this.#resequencer.deadline() > this.#now || this.#resequencer.held === 0, "is late");
  }

  #take(slot: number): void {
    const flow = this.#pool.flow[slot] as number;
    const sequence = this.#pool.sequence[slot] as number;
    const seen = this.#seen[flow] as Set<number>;
    check(!seen.has(sequence), "gave a packet twice");
    seen.add(sequence);
    // What is long past may be forgotten here as well.
    if (seen.size > 1_500) for (const old of [...seen].slice(0, 500)) seen.delete(old);
    this.#given++;
    this.#pool.release(slot);
  }
}

export const ORDER: Target = {
  draw: (random) => mutate(random, seedsOf("order"), 300),
  start() {
    const bench = new Bench();
    return (_random, input) => bench.attempt(input);
  },
};
