import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  changedByHand,
  exchangeRefused,
  linkDown,
  linkFlapping,
  noPathUp,
  noPeer,
} from "../../src/monitor/checks/link-checks.ts";
import { bufferbloat, lossReceived, lossSent, pathSuspect } from "../../src/monitor/checks/path-checks.ts";
import {
  busyMachine,
  DROP_RULES,
  drops,
  fewSlots,
  fragmentedPackets,
  latePackets,
  securityNone,
  smallBuffers,
} from "../../src/monitor/checks/tunnel-checks.ts";
import { CHECK_NAMES, type Check } from "../../src/monitor/finding.ts";
import { findings } from "../../src/monitor/health.ts";
import type { TunnelReport } from "../../src/monitor/tunnel-report.ts";
import type { LinkSnapshot } from "../../src/portal/snapshot.ts";
import { REPORT, withLink, withPath, withSnapshot } from "../support/report.ts";

/** "severity check subject: text" of each finding. */
function said(check: Check, report: TunnelReport): string[] {
  return check(report).map((found) => `${found.severity} ${found.check} ${found.subject}: ${found.text}`);
}

describe("a link", () => {
  const waiting: Partial<LinkSnapshot> = {
    state: "waiting",
    reason: "no answer from the peer",
    failures: 2,
    paths: [],
  };

  test("that is down is named with its reason and what to do", () => {
    expect(said(linkDown, withLink({}))).toEqual([]);
    const down = withLink({ ...waiting, age: 180_000_000 });
    expect(said(linkDown, down)).toEqual([
      "problem link-down fibre: is down for 3 minutes, 2 failed attempts: no answer from the peer",
    ]);
    expect(linkDown(down)[0]?.advice).toContain("firewall");
    expect(linkDown(withLink({ ...waiting, reason: "something new" }))[0]?.advice).toContain("log");
  });

  test("that never came up is told apart, and so is one that cannot listen", () => {
    expect(said(linkDown, withLink({ ...waiting, ups: 0 }))).toEqual([
      "problem link-never-up fibre: never came up in 1 hour 2 minutes, 2 failed attempts: no answer from the peer",
    ]);
    const cannotListen: Partial<LinkSnapshot> = {
      ...waiting,
      role: "listen",
      ups: 0,
      reason: "cannot bind: EADDRINUSE",
    };
    expect(linkDown(withLink(cannotListen))[0]?.advice).toContain("another program");
  });

  test("that is just starting, or was stopped, is no finding", () => {
    expect(linkDown(withLink(waiting, { uptime: 3 }))).toEqual([]);
    expect(linkDown(withLink({ ...waiting, state: "exchanging", failures: 0, age: 100_000 }))).toEqual([]);
    expect(linkDown(withLink({ ...waiting, state: "stopped" }))).toEqual([]);
  });

  test("that comes and goes is named, one that came back a few times in days is not", () => {
    expect(said(linkFlapping, withLink({ ups: 8 }))).toEqual([
      "warning link-flapping fibre: came up 8 times in 1 hour 2 minutes",
    ]);
    expect(linkFlapping(withLink({ ups: 8 }, { uptime: 86_400 }))).toEqual([]);
    expect(linkFlapping(withLink({ ups: 3 }, { uptime: 60 }))).toEqual([]);
  });

  test("that nobody comes to is noted", () => {
    const alone = withLink({ role: "listen", state: "listening", paths: [] });
    expect(said(noPeer, alone)).toEqual([
      "note no-peer fibre: listening for 1 minute 1 second, and no peer has connected",
    ]);
    expect(noPeer(withLink({ state: "listening" }))).toEqual([]);
  });

  test("whose exchange was refused says why, as long as it does not work", () => {
    const refused = { text: "the keys differ", age: 5_000_000 };
    expect(said(exchangeRefused, withLink({ ...waiting, refused }))).toEqual([
      "problem exchange-refused fibre: an exchange was refused 5 seconds ago: the keys differ",
    ]);
    expect(exchangeRefused(withLink({ refused }))).toEqual([]);
    expect(exchangeRefused(withLink(waiting))).toEqual([]);
  });

  test("that was changed by hand is not forgotten", () => {
    expect(changedByHand(withLink({}))).toEqual([]);
    expect(said(changedByHand, withLink({ byHand: "down" }))).toEqual(["note by-hand fibre: changed by hand: down"]);
  });

  test("is the tunnel's problem when it is the last", () => {
    expect(noPathUp(REPORT)).toEqual([]);
    expect(said(noPathUp, withLink(waiting))).toEqual([
      "problem no-path nc0: no path is up, so nothing passes; 1 link configured",
    ]);
    expect(noPathUp(withLink(waiting, { uptime: 3 }))).toEqual([]);
  });
});

describe("a path", () => {
  test("that does not answer is named", () => {
    expect(pathSuspect(REPORT)).toEqual([]);
    const suspect = withPath({ state: "suspect", reason: "no answer for 62 ms", age: 3_000_000 });
    expect(said(pathSuspect, suspect)).toEqual([
      "problem path-suspect fibre: suspect for 3 seconds: no answer for 62 ms",
    ]);
  });

  test("whose round trip is far above the smallest has a queue on its way, idle or not", () => {
    const rtt = { smoothed: 120_000, min: 24_000, latest: 0, deviation: 0 };
    expect(said(bufferbloat, withPath({ rtt }))).toEqual([
      "warning bufferbloat fibre: round-trip time is 5.0 times the smallest (120.0 ms, smallest 24.0 ms) under load: bufferbloat",
    ]);
    expect(said(bufferbloat, withPath({ rtt, rate: { sent: 100, received: 100 } }))[0]).toContain(
      "while the path is idle",
    );
    expect(bufferbloat(withPath({ rtt: { ...rtt, smoothed: 60_000 } }))).toEqual([]);
    expect(bufferbloat(withPath({ rtt: { ...rtt, smoothed: 600_000, min: 520_000 } }))).toEqual([]);
    expect(bufferbloat(withPath({ rtt, state: "suspect" }))).toEqual([]);
  });

  test("that loses is named for each direction, from one in a hundred on", () => {
    expect([...lossSent(REPORT), ...lossReceived(REPORT)]).toEqual([]);
    expect(said(lossSent, withPath({ loss: 0.02 }))).toEqual([
      "note loss-sent fibre: loses 2.00 % of the datagrams sent now, 0.70 % of all",
    ]);
    expect(lossSent(withPath({ lost: 60 }))[0]).toMatchObject({ severity: "warning" });
    expect(lossSent(withPath({ lost: 9, sent: { packets: 10, bytes: 0 } }))).toEqual([]);
    expect(said(lossReceived, withPath({ missing: 100, received: { packets: 1900, bytes: 2_660_000 } }))).toEqual([
      "warning loss-received fibre: 5.00 % of the peer's datagrams did not arrive (2.54 MiB did)",
    ]);
    expect(lossReceived(withPath({ missing: 9, received: { packets: 91, bytes: 0 } }))).toEqual([]);
  });
});

describe("the tunnel", () => {
  test("without security is told so", () => {
    expect(securityNone(REPORT)).toEqual([]);
    expect(securityNone(withSnapshot({ security: "none" }))[0]).toMatchObject({ check: "security-none" });
  });

  test("names drops that need a person, and not those that are normal", () => {
    expect(drops(REPORT)).toEqual([]);
    expect(drops(withSnapshot({ drops: { "datagram-replayed": 1e6, "sequence-duplicate": 1e6 } }))).toEqual([]);
    for (const { reason, check, text } of DROP_RULES) {
      const report = withSnapshot({ drops: { [reason]: 1e6 }, links: [] });
      expect(said(drops, report)).toEqual([expect.stringContaining(`${check} nc0: 1000000 ${text}`)]);
    }
  });

  test("counts what happens under load only from a share of the packets on", () => {
    const inbound = { packets: 1e6, bytes: 1e9 };
    expect(drops(withSnapshot({ inbound, drops: { "no-slot": 50 } }))).toEqual([]);
    expect(drops(withSnapshot({ inbound, drops: { "no-slot": 150 } }))[0]).toMatchObject({ check: "memory" });
  });

  test("calls other keys a problem only while nothing passes", () => {
    const forged = { "exchange-forged": 12 };
    expect(drops(withSnapshot({ drops: forged }))[0]).toMatchObject({ severity: "note", check: "keys-differ" });
    expect(drops(withSnapshot({ drops: forged, links: [] }))[0]).toMatchObject({ severity: "problem" });
  });

  test("names memory that runs out, small socket buffers and lost order", () => {
    expect(fewSlots(REPORT)).toEqual([]);
    expect(said(fewSlots, withSnapshot({ slots: { total: 8192, free: 12 } }))).toEqual([
      "warning memory nc0: only 12 of 8192 packet slots are free",
    ]);
    expect(smallBuffers(REPORT)).toEqual([]);
    const socket = { link: 0, asked: 8_388_608, receiveBuffer: 212_992, sendBuffer: 8_388_608, gso: true, gro: true };
    expect(said(smallBuffers, withSnapshot({ sockets: [socket, socket] }))).toEqual([
      "warning socket-buffers fibre: socket buffers are 208.00 KiB to receive and 8.00 MiB to send; 8.00 MiB were requested",
    ]);
    expect(smallBuffers(withSnapshot({ sockets: [{ ...socket, asked: 0 }] }))).toEqual([]);
    const order = { held: 0, heldTotal: 9, expired: 0, late: 200, hold: 80_000 };
    const inbound = { packets: 10_000, bytes: 0 };
    expect(said(latePackets, withSnapshot({ order, inbound }))).toEqual([
      "warning late nc0: 2.00 % of the packets arrived more than 80.0 ms after their turn",
    ]);
    expect(latePackets(withSnapshot({ order: { ...order, late: 99 }, inbound }))).toEqual([]);
  });
});

describe("a busy machine", () => {
  const turn = { count: 50_000, p999: 200, longest: 900 };
  const late = (count: number, p999: number) =>
    withSnapshot({ loop: { turn, lateness: { count, p999, longest: 123_000 } } });

  test("is a note from 10 ms on, once there were enough timers to tell", () => {
    expect(busyMachine(late(50_000, 9_000))).toEqual([]);
    expect(busyMachine(late(500, 40_000))).toEqual([]);
    expect(busyMachine(withSnapshot({ loop: undefined }))).toEqual([]);
    expect(said(busyMachine, late(50_000, 40_000))).toEqual([
      "note busy-machine nc0: the machine is busy: of a thousand timers one came 40.0 ms late or more, the latest 123.0 ms",
    ]);
  });
});

describe("fragmented packets", () => {
  test("are noted when they are more than a few", () => {
    const outbound = { packets: 10_000, bytes: 0 };
    expect(fragmentedPackets(withSnapshot({ outbound, fragments: { sent: 99, waiting: 0 } }))).toEqual([]);
    expect(said(fragmentedPackets, withSnapshot({ outbound, fragments: { sent: 2_500, waiting: 0 } }))).toEqual([
      "note fragmented nc0: 25.00 % of the packets were fragmented, as the MTU of a path is too small for packets of 1400 bytes",
    ]);
    expect(
      fragmentedPackets(withSnapshot({ outbound: { packets: 1e6, bytes: 0 }, fragments: { sent: 200, waiting: 0 } })),
    ).toEqual([]);
  });
});

describe("findings", () => {
  test("come worst first", () => {
    const report = withSnapshot({ security: "none", drops: { "exchange-forged": 5 } });
    expect(findings(report).map(({ severity, check }) => `${severity} ${check}`)).toEqual([
      "problem link-never-up",
      "problem exchange-refused",
      "warning security-none",
      "note keys-differ",
      "note by-hand",
    ]);
  });

  test("are all explained in docs/troubleshooting.md", () => {
    const text = readFileSync(join(import.meta.dir, "../../docs/troubleshooting.md"), "utf8");
    const explained = text.split("\n").flatMap((line) => line.match(/^\| ([^|]+) \|/)?.[1] ?? []);
    expect(CHECK_NAMES.filter((name) => !explained.some((cell) => cell.includes(`\`${name}\``)))).toEqual([]);
  });
});
