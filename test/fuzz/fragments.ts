/** FragmentedPackets of packets from a peer that cuts, repeats, leaves out and mixes them as it likes. */
import { DropCounters } from "../../src/drops.ts";
import { NO_SLOT, PacketPool } from "../../src/memory/packet-pool.ts";
import { Reassembly } from "../../src/portal/receiving/reassembly.ts";
import { FRAGMENT_SIZE, Fragment } from "../../src/wire/fragment.ts";
import type { SeededRandom } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import { check, type Target } from "./target.ts";

const SLOTS = 64;
const CAPACITY = 1_500;
const LIFETIME = 1_000_000;

/** Returns the byte at `at` of the packet that `fragment` belongs to; it follows from everything that names the packet, so that a mixture shows. */
function byteOf(path: number, first: number, { bucket, sequence, length }: Fragment, at: number): number {
  return Math.imul(path + 31 * first + 7 * bucket + 3 * sequence + 11 * length + at, 0x9e3779b1) >>> 24;
}

/** A FRAG message of few possible packets, so that parts of one meet. */
function draw(random: SeededRandom): Uint8Array {
  const fragment = new Fragment();
  fragment.bucket = random.below(2);
  fragment.sequence = random.below(2);
  const parts = 1 + random.below(3);
  fragment.place(random.below(parts), parts, random.chance(0.9) ? 40 : 1 + random.below(2_000));
  const out = new Uint8Array(FRAGMENT_SIZE + Math.max(0, fragment.size));
  fragment.write(new DataView(out.buffer), 0);
  return out;
}

class Bench {
  readonly #pool = new PacketPool(SLOTS, CAPACITY);
  readonly #drops = new DropCounters();
  readonly #reassembly = new Reassembly(this.#pool, this.#drops);
  readonly #fragment = new Fragment();
  #now = 0;

  attempt(random: SeededRandom, input: Uint8Array): void {
    const view = new DataView(input.buffer, input.byteOffset, input.length);
    const fragment = this.#fragment;
    if (fragment.read(view, 0, input.length)) {
      check(fragment.number < fragment.count && fragment.size > 0, "place");
      check(fragment.offset >= 0 && fragment.offset + fragment.size <= fragment.length, "reaches beyond the packet");
      check(fragment.size === input.length - FRAGMENT_SIZE, "size");
      if (fragment.length <= this.#pool.capacity) this.#add(random);
    }
    this.#pass(random.chance(0.02) ? random.below(3 * LIFETIME) : random.below(100));
    const { waiting } = this.#reassembly;
    check(waiting <= SLOTS / 8, "holds more than its share");
    check(this.#pool.free === SLOTS - waiting, "slots");
  }

  #add(random: SeededRandom): void {
    const pool = this.#pool;
    const fragment = this.#fragment;
    const [path, number] = [1 + random.below(2), random.below(12)];
    const first = number - fragment.number;
    const from = pool.take();
    const start = pool.start[from] as number;
    for (let i = 0; i < fragment.size; i++) pool.bytes[start + i] = byteOf(path, first, fragment, fragment.offset + i);
    const slot = this.#reassembly.add(this.#now, path, number, fragment, start);
    pool.release(from);
    if (slot === NO_SLOT) return;
    check(pool.length[slot] === fragment.length, "length");
    const at = pool.start[slot] as number;
    for (let i = 0; i < fragment.length; i++)
      check(pool.bytes[at + i] === byteOf(path, first, fragment, i), "a packet of mixed parts");
    pool.release(slot);
  }

  #pass(time: number): void {
    this.#now += time;
    this.#reassembly.handleTimeout(this.#now);
    const { waiting } = this.#reassembly;
    check(waiting === 0 || this.#reassembly.deadline() <= this.#now + LIFETIME, "forgets to look");
    check(time < 2 * LIFETIME || this.#reassembly.deadline() > this.#now, "is late");
  }
}

export const FRAGMENTS: Target = {
  draw: (random) => (random.chance(0.8) ? draw(random) : mutate(random, [draw(random)], 100)),
  start() {
    const bench = new Bench();
    return (random, input) => bench.attempt(random, input);
  },
};
