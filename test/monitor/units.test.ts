import { describe, expect, test } from "bun:test";
import { formatBytes, formatCount, formatRate, formatSeconds, formatShare } from "../../src/monitor/units.ts";

describe("units", () => {
  test("are those people read", () => {
    expect([0, 1023, 1024, 1_048_576, 2 ** 60].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.00 KiB",
      "1.00 MiB",
      "1024.00 PiB",
    ]);
    expect([0, 12, 125, 2_000_000, 1.25e8].map(formatRate)).toEqual([
      "0 bit/s",
      "96 bit/s",
      "1.00 kbit/s",
      "16.00 Mbit/s",
      "1.00 Gbit/s",
    ]);
    expect([0, 0.99, 1, 61, 86_400, 90_061].map(formatSeconds)).toEqual([
      "0 seconds",
      "0 seconds",
      "1 second",
      "1 minute 1 second",
      "1 day",
      "1 day 1 hour",
    ]);
    expect([0, 0.0025, 1].map(formatShare)).toEqual(["0.00 %", "0.25 %", "100.00 %"]);
    expect([0, 1, 2].map((count) => formatCount(count, "link"))).toEqual(["0 links", "1 link", "2 links"]);
  });
});
