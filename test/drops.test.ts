import { describe, expect, test } from "bun:test";
import { DROP, DROP_REASONS, DropCounters } from "../src/drops.ts";

describe("DropCounters", () => {
  test("counts each reason for itself and shows those that occurred", () => {
    const drops = new DropCounters();
    drops.count(DROP["queue-full"]);
    drops.count(DROP["queue-full"], 4);
    drops.count(DROP["no-slot"]);
    expect([drops.of("queue-full"), drops.of("no-slot"), drops.of("send-failed")]).toEqual([5, 1, 0]);
    expect(drops.snapshot()).toEqual({ "queue-full": 5, "no-slot": 1 });
  });

  test("counts on beyond 2^32", () => {
    const drops = new DropCounters();
    drops.count(DROP["queue-full"], 2 ** 40);
    drops.count(DROP["queue-full"]);
    expect(drops.of("queue-full")).toBe(2 ** 40 + 1);
  });
});

describe("DROP_REASONS", () => {
  test("have one index each, and 0 means that nothing was dropped", () => {
    expect(Object.values(DROP)).toEqual(DROP_REASONS.map((_, i) => i));
    expect(new Set(DROP_REASONS).size).toBe(DROP_REASONS.length);
    expect(DROP.none).toBe(0);
  });

  // Counters are read by index: a reason keeps its place for ever.
  test("keep their places", () => {
    expect([
      DROP["packet-malformed"],
      DROP["datagram-forged"],
      DROP["exchange-limited"],
      DROP["sequence-duplicate"],
    ]).toEqual([1, 8, 14, 17]);
  });
});
