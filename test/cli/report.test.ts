import { describe, expect, test } from "bun:test";
import { colours } from "../../src/cli/colour.ts";
import { renderReport } from "../../src/cli/report.ts";
import { formatBytes, formatRate, formatSeconds, formatShare } from "../../src/cli/units.ts";
import type { TunnelReport } from "../../src/daemon/control-client.ts";

const REPORT: TunnelReport = {
  interface: "nc0",
  version: "0.1.0",
  pid: 12,
  uptime: 3_725,
  snapshot: {
    security: "blake2s",
    mtu: 1400,
    outbound: { packets: 10, bytes: 3_124_588_000 },
    inbound: { packets: 20, bytes: 19_542_101_197 },
    queue: { packets: 1, bytes: 1400 },
    repair: { repaired: 7, copied: 3, givenUp: 1, waiting: 0 },
    order: { held: 2, heldTotal: 90, expired: 1, late: 0, hold: 80_000 },
    slots: { total: 4096, free: 4000 },
    drops: { "queue-full": 12, "datagram-forged": 3 },
    links: [
      {
        id: 0,
        name: "fibre",
        method: "UDP",
        role: "initiate",
        byHand: "",
        state: "up",
        reason: "",
        age: 61_000_000,
        failures: 0,
        retryIn: 0,
        paths: [
          {
            id: 0,
            name: "fibre",
            state: "up",
            reason: "",
            age: 60_000_000,
            local: "192.0.2.10:5000",
            remote: "203.0.113.7:4725",
            metric: 0,
            standby: false,
            congestion: "newreno",
            rtt: { smoothed: 12_100, min: 11_800, latest: 12_000, deviation: 300 },
            window: 262_144,
            inFlight: 131_072,
            pacingRate: 6_250_000,
            rate: { sent: 5_150_000, received: 26_500_000 },
            sent: { packets: 1000, bytes: 1_400_000 },
            received: { packets: 2000, bytes: 2_800_000 },
            lost: 7,
            loss: 0.0025,
            mtu: 1472,
          },
        ],
      },
      {
        id: 1,
        name: "lte",
        method: "TCP",
        role: "initiate",
        byHand: "down, metric 10 (configured: 0)",
        state: "waiting",
        reason: "interface wwan0 has no address",
        age: 2_000_000,
        failures: 3,
        retryIn: 1_500_000,
        paths: [],
      },
    ],
  },
};

describe("renderReport", () => {
  test("has a block for the tunnel and one for each link, its paths nested", () => {
    expect(renderReport(REPORT, colours({ isTTY: false }))).toBe(`interface: nc0
  running: 1 hour 2 minutes, pid 12, version 0.1.0
  security: blake2s, mtu: 1400
  transfer: 18.20 GiB received, 2.91 GiB sent
  queue: 1 packet, 1.37 KiB, slots: 4000 of 4096 free
  repaired: 7, copied 3, given up 1
  held for order: 90 for at most 80.0 ms, now 2, in vain 1, late 0
  dropped: queue-full 12, datagram-forged 3

link: fibre  (UDP, initiates)
  state: up for 1 minute 1 second
  path: 192.0.2.10:5000 -> 203.0.113.7:4725
    state: up for 1 minute, carrying, metric: 0
    rtt: 12.1 ms (min 11.8 ms, latest 12.0 ms, deviation 0.3 ms)
    rate: 41.20 Mbit/s sent, 212.00 Mbit/s received, paced at 50.00 Mbit/s
    loss: 0.25 % now, 7 datagrams of 1000 in all
    in flight: 128.00 KiB of 256.00 KiB, congestion: newreno
    transfer: 2.67 MiB received, 1.34 MiB sent, mtu: 1472

link: lte  (TCP, initiates)
  state: waiting for 2 seconds: interface wwan0 has no address, 3 failed attempts, next attempt in 1.5 s
  changed by hand: down, metric 10 (configured: 0)`);
  });

  test("is coloured on a terminal that wants it, and says the same", () => {
    const plain = renderReport(REPORT, colours({ isTTY: false }));
    const coloured = renderReport(REPORT, colours({ isTTY: true }, { TERM: "xterm" }));
    expect(coloured).toContain("\x1b[1m");
    expect(Bun.stripANSI(coloured)).toBe(plain);
    expect(renderReport(REPORT, colours({ isTTY: true }, { NO_COLOR: "1", TERM: "xterm" }))).toBe(plain);
    expect(renderReport(REPORT, colours({ isTTY: true }, { TERM: "dumb" }))).toBe(plain);
  });
});

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
  });
});
