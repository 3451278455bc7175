import { describe, expect, test } from "bun:test";
import { NO_SLOT } from "../../../src/memory/packet-pool.ts";
import { FragmentedPackets } from "../../../src/portal/sending/fragments.ts";

const SLOTS = 8;

describe("a packet sent as fragments", () => {
  test("is delivered with its last fragment, in any order", () => {
    const packets = new FragmentedPackets(SLOTS);
    const kept = packets.add(5, 3);
    expect(kept).toBeGreaterThanOrEqual(SLOTS);
    expect([1, 2, 3].map(() => packets.delivered(kept))).toEqual([NO_SLOT, NO_SLOT, 5]);
  });

  test("is lost with its first lost fragment, once, and never delivered then", () => {
    const packets = new FragmentedPackets(SLOTS);
    const kept = packets.add(5, 4);
    expect(packets.delivered(kept)).toBe(NO_SLOT);
    expect(packets.lost(kept)).toBe(5);
    expect(packets.lost(kept)).toBe(NO_SLOT);
    expect(packets.delivered(kept)).toBe(NO_SLOT);
  });

  test("sent again meanwhile is settled on its own", () => {
    const packets = new FragmentedPackets(SLOTS);
    const [first, second] = [packets.add(5, 2), packets.add(5, 2)];
    expect(packets.lost(first)).toBe(5);
    expect(packets.delivered(second)).toBe(NO_SLOT);
    expect(packets.delivered(first)).toBe(NO_SLOT);
    expect(packets.delivered(second)).toBe(5);
  });

  test("leaves packets sent whole alone", () => {
    const packets = new FragmentedPackets(SLOTS);
    expect([packets.delivered(7), packets.lost(7)]).toEqual([7, 7]);
  });

  test("finds no room beyond the bound, and room again once others are settled", () => {
    const packets = new FragmentedPackets(SLOTS);
    const all = Array.from({ length: SLOTS }, (_, slot) => packets.add(slot, 1));
    expect(packets.add(0, 1)).toBe(NO_SLOT);
    for (const kept of all) packets.delivered(kept);
    expect(packets.add(0, 2)).not.toBe(NO_SLOT);
  });
});
