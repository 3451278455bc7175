/** A tunnel of two links, one up and one that never was: what views, checks and metrics are tried on. */
import type { TunnelReport } from "../../src/monitor/tunnel-report.ts";
import type { LinkSnapshot, PathSnapshot, TunnelSnapshot } from "../../src/portal/snapshot.ts";

export const REPORT: TunnelReport = {
  interface: "nc0",
  version: "0.1.0",
  pid: 12,
  uptime: 3_725,
  snapshot: {
    security: "auto",
    publicKey: "cdOTSpmTe8iXAFv4rY0Z6zQvRHUB/Ua5hDSSnlzp5A8=",
    peerKey: "3sZ9/9Ssr0zee6asxY1W17Jbi0UfWRohvnNkkCIhMVk=",
    mtu: 1400,
    outbound: { packets: 10, bytes: 3_124_588_000 },
    inbound: { packets: 20, bytes: 19_542_101_197 },
    queue: { packets: 1, bytes: 1400 },
    aqm: { sparse: 0, bulk: 1, marked: 2, dropped: 5, shed: 12 },
    fragments: { sent: 5, waiting: 0 },
    resent: { retransmitted: 7, reinjected: 3, duplicated: 20, abandoned: 1, waiting: 0, received: 4 },
    order: { held: 2, heldTotal: 90, expired: 1, late: 0, hold: 80_000 },
    slots: { total: 4096, free: 4000 },
    drops: { "queue-full": 12, "datagram-forged": 3 },
    links: [
      {
        id: 0,
        name: "fibre",
        refused: undefined,
        method: "UDP",
        role: "initiate",
        byHand: "",
        state: "up",
        reason: "",
        age: 61_000_000,
        failures: 0,
        ups: 1,
        retryIn: 0,
        paths: [
          {
            id: 0,
            name: "fibre",
            keys: { suite: "aes-256-gcm", age: 42_000_000, rekeys: 1 },
            state: "up",
            reason: "",
            age: 60_000_000,
            local: "192.0.2.10:5000",
            remote: "203.0.113.7:4725",
            metric: 0,
            standby: false,
            congestion: "newreno",
            control: { mode: "avoidance", estimate: 5_500_000, randomLoss: 0 },
            rtt: { smoothed: 12_100, min: 11_800, latest: 12_000, deviation: 300 },
            window: 262_144,
            inFlight: 131_072,
            pacingRate: 6_250_000,
            rate: { sent: 5_150_000, received: 26_500_000 },
            sent: { packets: 1000, bytes: 1_400_000 },
            received: { packets: 2000, bytes: 2_800_000 },
            lost: 7,
            resent: { retransmissions: 5, reinjections: 1, duplicates: 2 },
            padding: 0,
            loss: 0.0025,
            missing: 4,
            mtu: 1472,
            mtuState: "found",
            limits: { metered: true, out: 625_000, in: 0 },
          },
        ],
      },
      {
        id: 1,
        name: "lte",
        refused: { text: "203.0.113.7:4725: the peer's SharedKey is another than ours", age: 3_000_000 },
        method: "TCP",
        role: "initiate",
        byHand: "down, metric 10 (configured: 0)",
        state: "waiting",
        reason: "interface wwan0 has no address",
        age: 2_000_000,
        failures: 3,
        ups: 0,
        retryIn: 1_500_000,
        paths: [],
      },
    ],
    sockets: [{ link: 0, asked: 8_388_608, receiveBuffer: 8_388_608, sendBuffer: 8_388_608, gso: true, gro: true }],
    loop: {
      turn: { count: 50_000, p999: 400, longest: 1_200 },
      lateness: { count: 20_000, p999: 900, longest: 3_400 },
    },
  },
};

/** Returns `REPORT` with other values in its snapshot. */
export function withSnapshot(values: Partial<TunnelSnapshot>, more: Partial<TunnelReport> = {}): TunnelReport {
  return { ...REPORT, ...more, snapshot: { ...REPORT.snapshot, ...values } };
}

/** Returns `REPORT` whose first link alone is there, with other values. */
export function withLink(values: Partial<LinkSnapshot>, more: Partial<TunnelReport> = {}): TunnelReport {
  return withSnapshot({ links: [{ ...(REPORT.snapshot.links[0] as LinkSnapshot), ...values }] }, more);
}

/** Returns `REPORT` whose first path alone is there, with other values. */
export function withPath(values: Partial<PathSnapshot>): TunnelReport {
  const [path] = (REPORT.snapshot.links[0] as LinkSnapshot).paths;
  return withLink({ paths: [{ ...(path as PathSnapshot), ...values }] });
}
