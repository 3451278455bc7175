import { describe, expect, test } from "bun:test";
import { Overdue, overdueAfter } from "../../src/path/overdue.ts";
import { Rtt } from "../../src/path/rtt.ts";
import { SENT, SentPackets } from "../../src/path/sent-packets.ts";

/** A path whose round trips are all 40 ms. */
function steady(): Rtt {
  const rtt = new Rtt();
  for (let i = 0; i < 50; i++) rtt.update(0, 40_000, 0);
  return rtt;
}

describe("overdue datagrams", () => {
  test("are those unacknowledged for longer than others take, each told once", () => {
    const [sent, rtt, overdue] = [new SentPackets(), steady(), new Overdue()];
    for (let i = 0; i < 5; i++) sent.add(1_000 * i, 100, 100, 10 + i);
    sent.settle(1, SENT.ACKED);
    const wait = overdueAfter(rtt);
    const next = (now: number): number => overdue.next(now, sent, rtt);
    expect([next(wait), next(wait + 2_500), next(wait + 2_500), next(wait + 2_500)]).toEqual([-1, 10, 12, -1]);
    expect([next(wait + 5_000), next(wait + 5_000), next(wait + 5_000)]).toEqual([13, 14, -1]);
  });

  test("with nothing kept of them are passed over", () => {
    const [sent, rtt, overdue] = [new SentPackets(), steady(), new Overdue()];
    sent.add(0, 100, 100, -1);
    sent.add(0, 100, 100, 7);
    expect(overdue.next(1_000_000, sent, rtt)).toBe(7);
  });

  test("are waited for longer where delays vary", () => {
    const varying = new Rtt();
    for (let i = 0; i < 50; i++) varying.update(0, i % 2 === 0 ? 20_000 : 60_000, 0);
    expect(overdueAfter(steady())).toBeWithin(44_000, 50_000);
    expect(overdueAfter(varying)).toBeGreaterThan(70_000);
  });
});
