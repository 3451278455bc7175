import { describe, expect, test } from "bun:test";
import { colours } from "../../src/cli/colour.ts";
import { clip, RateHistory, renderTop, sparkline } from "../../src/cli/top-view.ts";
import type { TunnelReport } from "../../src/monitor/tunnel-report.ts";
import { REPORT, withPath } from "../support/report.ts";

const PLAIN = colours({ isTTY: false });
const COLOURED = colours({ isTTY: true }, { TERM: "xterm" });

function drawn(columns: number, rows: number, reports: readonly TunnelReport[] = [REPORT], notice = "") {
  const history = new RateHistory();
  history.note(reports);
  return renderTop(reports, history, { columns, rows }, PLAIN, notice);
}

describe("renderTop", () => {
  test("shows every link with its rates, what is wrong below, and how to leave", () => {
    const lines = drawn(100, 14);
    expect(lines).toHaveLength(14);
    expect(lines[0]).toBe("nc0  in 212.00 Mbit/s  out 41.20 Mbit/s  1 of 2 links carrying  up 1 hour 2 minutes");
    expect(lines[1]).toBe("  fibre         carrying  rtt 12.1 ms, queueing delay 0.3 ms, loss 0.25 %");
    expect(lines[2]).toBe(`              in  ${"█".repeat(20)}  212.00 Mbit/s  █`);
    expect(lines[3]).toBe(`              out ${"█".repeat(4)}${"░".repeat(16)}   41.20 Mbit/s  █`);
    expect(lines[4]).toBe("  lte           waiting  interface wwan0 has no address");
    expect(lines.at(-4)).toStartWith("problem: lte: never came up");
    expect(lines.at(-1)).toBe("q quit");
  });

  test("fits every terminal", () => {
    for (const [columns, rows] of [
      [20, 5],
      [1, 1],
      [40, 3],
      [200, 60],
      [80, 24],
    ] as const) {
      const lines = drawn(columns, rows, [REPORT, { ...REPORT, interface: "nc1" }], "nc0 is not running");
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  test("tells what happened to the tunnel, and keeps what was seen last", () => {
    const lines = drawn(80, 12, [REPORT], "nc0 is not running");
    expect(lines.at(-2)).toBe("nc0 is not running");
    expect(lines[0]).toStartWith("nc0  in");
  });
});

describe("RateHistory", () => {
  test("draws the past of each direction and forgets links that are gone", () => {
    const history = new RateHistory();
    for (const sent of [0, 1e6, 2e6]) history.note([withPath({ rate: { sent, received: 5e5 } })]);
    expect(history.of("nc0", "fibre", "sent")).toEqual([0, 1e6, 2e6]);
    expect(history.of("nc0", "fibre", "received")).toEqual([5e5, 5e5, 5e5]);
    history.note([]);
    expect(history.of("nc0", "fibre", "sent")).toEqual([]);
    for (let i = 0; i < 500; i++) history.note([REPORT]);
    expect(history.of("nc0", "fibre", "sent").length).toBeLessThan(500);
  });
});

describe("sparkline", () => {
  test("is as wide as it may be, highest at the highest value, and flat while idle", () => {
    expect(sparkline([0, 1e6, 2e6], 10)).toBe("▁▅█");
    expect(sparkline([0, 1e6, 2e6], 2)).toBe("▅█");
    expect(sparkline([100, 50, 0], 10)).toBe("▁▁▁");
    expect(sparkline([1], 0)).toBe("");
  });
});

describe("clip", () => {
  test("counts what is seen, and lets colours end", () => {
    const red = COLOURED.red("abcdef");
    expect(clip(red, 6)).toBe(red);
    expect(clip(red, 3)).toBe("\x1b[31mabc\x1b[39m");
    expect(clip("abc", 0)).toBe("");
  });
});
