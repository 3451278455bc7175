import { describe, expect, test } from "bun:test";
import { NO_SLOT } from "../../../src/memory/packet-pool.ts";
import { Parts } from "../../../src/portal/sending/fragments.ts";

const SLOTS = 8;

describe("a packet sent in parts", () => {
  test("is delivered with its last part, in any order", () => {
    const parts = new Parts(SLOTS);
    const kept = parts.open(5, 3);
    expect(kept).toBeGreaterThanOrEqual(SLOTS);
    expect([1, 2, 3].map(() => parts.delivered(kept))).toEqual([NO_SLOT, NO_SLOT, 5]);
  });

  test("is lost with its first lost part, once, and never delivered then", () => {
    const parts = new Parts(SLOTS);
    const kept = parts.open(5, 4);
    expect(parts.delivered(kept)).toBe(NO_SLOT);
    expect(parts.lost(kept)).toBe(5);
    expect(parts.lost(kept)).toBe(NO_SLOT);
    expect(parts.delivered(kept)).toBe(NO_SLOT);
  });

  test("sent again meanwhile is a matter of its own", () => {
    const parts = new Parts(SLOTS);
    const [first, second] = [parts.open(5, 2), parts.open(5, 2)];
    expect(parts.lost(first)).toBe(5);
    expect(parts.delivered(second)).toBe(NO_SLOT);
    expect(parts.delivered(first)).toBe(NO_SLOT);
    expect(parts.delivered(second)).toBe(5);
  });

  test("leaves packets sent whole alone", () => {
    const parts = new Parts(SLOTS);
    expect([parts.delivered(7), parts.lost(7)]).toEqual([7, 7]);
  });

  test("finds no room beyond the bound, and room again once others are settled", () => {
    const parts = new Parts(SLOTS);
    const all = Array.from({ length: SLOTS }, (_, slot) => parts.open(slot, 1));
    expect(parts.open(0, 1)).toBe(NO_SLOT);
    for (const kept of all) parts.delivered(kept);
    expect(parts.open(0, 2)).not.toBe(NO_SLOT);
  });
});
