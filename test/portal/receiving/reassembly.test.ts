import { beforeEach, describe, expect, test } from "bun:test";
import { DropCounters } from "../../../src/drops.ts";
import { NO_SLOT, PacketPool } from "../../../src/memory/packet-pool.ts";
import { Reassembly } from "../../../src/portal/receiving/reassembly.ts";
import { Fragment } from "../../../src/wire/fragment.ts";
import { counting } from "../../support/bytes.ts";
import { seeded } from "../../support/seed.ts";
import { contentOf, slotWith } from "../../support/slots.ts";

const SECOND = 1_000_000;
const PATH = 0x1201;
const SLOTS = 64;
/** One in eight of the slots. */
const PLACES = 8;

let pool: PacketPool;
let drops: DropCounters;
let reassembly: Reassembly;

beforeEach(() => {
  pool = new PacketPool(SLOTS, 1_500);
  drops = new DropCounters();
  reassembly = new Reassembly(pool, drops);
});

/** Hands over part `part` of `packet`, the first of which has the number `first`. */
function add(packet: Uint8Array, part: number, parts: number, first: number, more: Partial<Fragment> = {}, now = 0) {
  const fragment = Object.assign(new Fragment(), { bucket: 9, class: 1, sequence: 1_000 });
  fragment.place(part, parts, packet.length);
  Object.assign(fragment, more);
  const from = slotWith(pool, packet.subarray(fragment.offset, fragment.offset + fragment.size));
  const slot = reassembly.add(now, PATH, first + part, fragment, pool.start[from] as number);
  pool.release(from);
  return slot;
}

describe("reassembly", () => {
  test("puts parts together whatever their order, with all facts", () => {
    const packet = counting(1_000);
    expect(add(packet, 2, 3, 40)).toBe(NO_SLOT);
    expect(add(packet, 0, 3, 40)).toBe(NO_SLOT);
    expect(reassembly.waiting).toBe(1);
    const slot = add(packet, 1, 3, 40);
    expect(contentOf(pool, slot)).toEqual(packet);
    expect([pool.flow[slot], pool.class[slot], pool.sequence[slot]]).toEqual([9, 1, 1_000]);
    pool.release(slot);
    expect([pool.free, reassembly.waiting, drops.of("fragment-incomplete")]).toEqual([SLOTS, 0, 0]);
  });

  test("tells packets apart that are under way at once", () => {
    const [one, two] = [counting(100), counting(101, 50)];
    expect(add(one, 0, 2, 4)).toBe(NO_SLOT);
    expect(add(two, 1, 2, 6)).toBe(NO_SLOT);
    expect(contentOf(pool, add(one, 1, 2, 4))).toEqual(one);
    expect(contentOf(pool, add(two, 0, 2, 6))).toEqual(two);
  });

  test("drops what does not become whole in time, counted, and never sooner", () => {
    add(counting(100), 0, 2, 4);
    add(counting(100), 0, 2, 6, {}, SECOND / 2);
    reassembly.handleTimeout(SECOND - 1);
    expect(reassembly.waiting).toBe(2);
    expect(reassembly.deadline()).toBe(SECOND);
    reassembly.handleTimeout(SECOND);
    expect([reassembly.waiting, drops.of("fragment-incomplete")]).toEqual([1, 1]);
    reassembly.handleTimeout(2 * SECOND);
    expect([reassembly.waiting, drops.of("fragment-incomplete")]).toEqual([0, 2]);
    expect([reassembly.deadline(), pool.free]).toEqual([Number.POSITIVE_INFINITY, SLOTS]);
  });

  test("takes a part twice without harm", () => {
    const packet = counting(100);
    add(packet, 0, 2, 4);
    expect(add(packet, 0, 2, 4)).toBe(NO_SLOT);
    expect(contentOf(pool, add(packet, 1, 2, 4))).toEqual(packet);
  });

  test("mixes nothing of packets that claim the same place", () => {
    const packet = counting(100);
    for (const other of [{ bucket: 8 }, { class: 0 }, { sequence: 1_001 }]) {
      add(packet, 0, 2, 4);
      expect(add(counting(100, 77), 1, 2, 4, other)).toBe(NO_SLOT);
    }
    add(packet, 0, 2, 4);
    expect(add(packet, 1, 3, 4)).toBe(NO_SLOT);
    add(packet, 0, 2, 4);
    expect(add(counting(102, 77), 1, 2, 4)).toBe(NO_SLOT);
    expect(reassembly.waiting).toBe(1);
    expect(pool.free).toBe(SLOTS - 1);
  });

  test("holds no more than its share of the arena, whatever comes", () => {
    for (let first = 0; first < 10_000; first += 1) add(counting(100), 0, 2, first);
    expect(reassembly.waiting).toBe(PLACES);
    expect(pool.free).toBe(SLOTS - PLACES);
    expect(drops.of("fragment-incomplete")).toBe(10_000 - PLACES);
  });

  test("counts what finds no slot", () => {
    const packet = slotWith(pool, counting(50));
    const fragment = Object.assign(new Fragment(), { bucket: 1 });
    fragment.place(0, 2, 100);
    while (pool.take() !== NO_SLOT);
    expect(reassembly.add(0, PATH, 4, fragment, pool.start[packet] as number)).toBe(NO_SLOT);
    expect(drops.of("no-slot")).toBe(1);
  });

  test(
    "makes every packet whole that has all its parts, among others that never do",
    seeded((random) => {
      let number = 0;
      for (let i = 0; i < 2_000; i++) {
        const packet = counting(1 + random.below(1_400), random.below(256));
        const parts = 1 + random.below(Math.min(16, packet.length));
        const missing = random.chance(0.2) ? random.below(parts) : -1;
        const order = Array.from({ length: parts }, (_, part) => part).sort(() => random.unit() - 0.5);
        let whole = NO_SLOT;
        for (const part of order) if (part !== missing) whole = add(packet, part, parts, number, { sequence: i }, i);
        number += parts;
        expect(whole !== NO_SLOT).toBe(missing < 0);
        if (whole === NO_SLOT) continue;
        expect(contentOf(pool, whole)).toEqual(packet);
        pool.release(whole);
      }
      reassembly.handleTimeout(10 * SECOND);
      expect(pool.free).toBe(SLOTS);
    }),
  );
});
