import { describe, expect, test } from "bun:test";
import { colours } from "../../src/cli/colour.ts";
import { renderShow } from "../../src/cli/show-view.ts";
import { REPORT } from "../support/report.ts";

describe("renderShow", () => {
  test("has a block for the tunnel and one for each link, its paths nested", () => {
    expect(renderShow(REPORT, colours({ isTTY: false }))).toBe(`interface: nc0
  running: 1 hour 2 minutes, pid 12, version 0.1.0
  security: auto, mtu: 1400
  public key: cdOTSpmTe8iXAFv4rY0Z6zQvRHUB/Ua5hDSSnlzp5A8=
  peer's public key: 3sZ9/9Ssr0zee6asxY1W17Jbi0UfWRohvnNkkCIhMVk=
  transfer: 18.20 GiB received, 2.91 GiB sent
  queue: 1 packet, 1.37 KiB, drains in 0.2 ms, flows: 0 sparse, 1 bulk, packet slots: 4000 of 4096 free
  AQM: 2 marked, 5 dropped, 12 shed
  fragmented: 5 packets
  resent: 7 retransmitted, 3 reinjected, 20 duplicated, abandoned: 1, redundant received: 4
  reordering buffer: 2 packets, 90 in all, timeout 80.0 ms, 1 gap timed out, 0 late
  loop turns: 99.9 % at most 0.4 ms, longest 1.2 ms, timers late: 99.9 % at most 0.9 ms, longest 3.4 ms
  dropped: queue-full 12, datagram-forged 3

link: fibre  (UDP, initiates)
  state: up for 1 minute 1 second
  path: 192.0.2.10:5000 -> 203.0.113.7:4725
    state: up for 1 minute, carrying, metric: 0
    keys: aes-256-gcm, agreed 42 seconds ago
    rtt: 12.1 ms (min 11.8 ms, latest 12.0 ms, mean deviation 0.3 ms), queueing delay: 0.3 ms
    rate: 41.20 Mbit/s sent, 212.00 Mbit/s received, pacing rate: 50.00 Mbit/s
    loss sent: 0.25 % now, 7 of 1000 datagrams in all, loss received: 0.20 %
    in flight: 128.00 KiB, window: 256.00 KiB, congestion control: newreno (avoidance), estimate 44.00 Mbit/s
    transfer: 2.67 MiB received, 1.34 MiB sent, mtu: 1472
    resent: 5 retransmitted, 1 reinjected, 2 duplicated
    limit: 5.00 Mbit/s out, metered: no reinjections, few keepalives

link: lte  (TCP, initiates)
  state: waiting for 2 seconds: interface wwan0 has no address, 3 failed attempts, next attempt in 1.5 s
  changed by hand: down, metric 10 (configured: 0)
  refused: 3 seconds ago: 203.0.113.7:4725: the peer's SharedKey is another than ours

# Health check:
#   - lte: never came up in 1 hour 2 minutes, 3 failed attempts: interface wwan0 has no address
#       plug it in, or wait for DHCP; the link is tried again by itself [link-never-up]
#   - lte: an exchange was refused 3 seconds ago: 203.0.113.7:4725: the peer's SharedKey is another than ours
#       compare Security, the keys and the versions of both portals [exchange-refused]
#   - lte: changed by hand: down, metric 10 (configured: 0)
#       undo it with netcombiner link lte up, or metric default [by-hand]`);
  });

  test("is coloured on a terminal that wants it, and says the same", () => {
    const plain = renderShow(REPORT, colours({ isTTY: false }));
    const coloured = renderShow(REPORT, colours({ isTTY: true }, { TERM: "xterm" }));
    expect(coloured).toContain("\x1b[1m");
    expect(Bun.stripANSI(coloured)).toBe(plain);
    expect(renderShow(REPORT, colours({ isTTY: true }, { NO_COLOR: "1", TERM: "xterm" }))).toBe(plain);
    expect(renderShow(REPORT, colours({ isTTY: true }, { TERM: "dumb" }))).toBe(plain);
  });
});

describe("colours", () => {
  test("are decided by NETCOMBINER_COLOR_MODE before anything else", () => {
    const isOn = (isTTY: boolean, environment: NodeJS.ProcessEnv) => colours({ isTTY }, environment).isOn;
    expect(isOn(false, { NETCOMBINER_COLOR_MODE: "always", NO_COLOR: "1" })).toBe(true);
    expect(isOn(true, { NETCOMBINER_COLOR_MODE: "never" })).toBe(false);
    expect(isOn(true, { NETCOMBINER_COLOR_MODE: "auto" })).toBe(true);
    expect(isOn(false, { NETCOMBINER_COLOR_MODE: "auto" })).toBe(false);
  });
});
