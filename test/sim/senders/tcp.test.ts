import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../../src/clock.ts";
import { SeededRandom } from "../../support/random.ts";
import { jainIndex } from "../../support/statistics.ts";
import { LINK_DROP, type LinkShape } from "../link-model.ts";
import { addBulk, addPingPong, bareWorld, goodput, percentile, seedOr } from "../scenarios.ts";
import { Bbr } from "./bbr.ts";
import { Cubic } from "./cubic.ts";
import { Echo, Ping, UdpReceiver, UdpSender } from "./datagrams.ts";

const seed = seedOr(20_260_101);
const SECOND = MICROS_PER_SECOND;
/** Goodput of full segments per bit of wire. */
const EFFICIENCY = 1448 / 1518;
/** Shares of a link's rate that each control uses at the least: with a queue that never empties; with one that is drained now and then. */
const FULL = 0.99;
const NEARLY_FULL = 0.97;
const DRAINED = 0.95;
/** The same in a time that has losses or an outage in it, after which the window grows again. */
const RECOVERING = 0.9;
/** Jain's index of two of which one has a window up to twice the other's half of the time. */
const FAIR = 0.9;
const TWENTY: Partial<LinkShape> = { rate: 20e6, delay: 5_000, queuePackets: 1000 };

describe(`CUBIC (NC_SEED=${seed})`, () => {
  test("alone fills 20 Mbit/s and its 1000-packet queue, without a timeout", () => {
    const world = bareWorld([TWENTY], seed);
    const bulk = addBulk(world);
    world.run(20 * SECOND);
    const link = world.links[0]?.[0];
    expect(goodput(bulk, SECOND, 11 * SECOND)).toBeGreaterThan(FULL * 20e6 * EFFICIENCY);
    expect(link?.drops[LINK_DROP.QUEUE]).toBeGreaterThan(0);
    expect(link?.peakBacklog).toBeGreaterThan(1000 * 1500);
    expect(bulk.from.sender.timeouts).toBe(0);
    expect(bulk.from.sender.recovery.undone).toBe(0);
  });

  test("leaves slow start by HyStart before a queue of one round trip overflows", () => {
    for (const delay of [5_000, 20_000, 50_000]) {
      const rate = 40e6;
      const roundTrip = Math.ceil((rate * 2 * delay) / 8e6 / 1518);
      const world = bareWorld([{ rate, delay, queuePackets: roundTrip }], seed);
      const control = new Cubic();
      addBulk(world, { control });
      while (control.hystartExit === 0 && world.now < SECOND) world.run(world.now + delay);
      // HyStart's least window; and link and queue together hold two round trips, of which a tenth is on its way back.
      expect(control.hystartExit).toBeGreaterThan(16);
      expect(control.hystartExit).toBeLessThan(2.2 * roundTrip);
      expect(world.links[0]?.[0].drops[LINK_DROP.QUEUE]).toBe(0);
    }
  });

  test("grows by one in 20 until its first loss and cubically after it", () => {
    const shape = { rate: 100e6, delay: 20_000, queuePackets: 4000 };
    const windows = [[], [405]].map((lose) => {
      const world = bareWorld([{ ...shape, lose }], seed);
      const control = new Cubic();
      addBulk(world, { control });
      world.run(1.2 * SECOND);
      return control.window;
    });
    // The lost one multiplies its window by 0.7 (RFC 9438), and grows slower up to its former one: 1 / 0.7² is 2.
    expect(windows[0]).toBeGreaterThan(1.7 * (windows[1] as number));
  });

  test("obeys the response function at 0.1 % loss within a factor of 1.5", () => {
    const world = bareWorld([{ rate: 200e6, delay: 20_000, loss: 0.001 }], seed);
    const bulk = addBulk(world);
    world.run(120 * SECOND);
    // RFC 9438 section 5: in this region CUBIC equals Reno, 1.22 / sqrt(p); both directions lose, ACKs do not matter.
    const expected = ((1.22 / Math.sqrt(0.001)) * 1448 * 8) / 0.0405;
    const rate = goodput(bulk, 5 * SECOND, 120 * SECOND);
    expect(rate).toBeGreaterThan(expected / 1.5);
    expect(rate).toBeLessThan(expected * 1.5);
  });

  test("shares a link between two flows fairly", () => {
    const world = bareWorld([{ rate: 20e6, delay: 10_000, queuePackets: 100 }], seed);
    const bulks = [addBulk(world, { port: 5001 }), addBulk(world, { port: 5002, startAt: 2 * SECOND })];
    world.run(60 * SECOND);
    const rates = bulks.map((bulk) => goodput(bulk, 5 * SECOND, 60 * SECOND));
    expect(jainIndex(rates)).toBeGreaterThan(FAIR);
    expect((rates[0] as number) + (rates[1] as number)).toBeGreaterThan(DRAINED * 20e6 * EFFICIENCY);
  });

  test("survives an outage of three seconds by timeouts and returns to full speed", () => {
    const world = bareWorld([{ ...TWENTY, queuePackets: 60 }], seed);
    const bulk = addBulk(world);
    world.at(4 * SECOND, (w) => w.cut(0));
    world.at(7 * SECOND, (w) => w.uncut(0));
    world.run(20 * SECOND);
    // 0.25 s, then twice as long each time, within 3 s: four, and one more or less by its phase and the probe before.
    expect(bulk.from.sender.timeouts).toBeWithin(2, 6);
    expect(goodput(bulk, 5 * SECOND, 7 * SECOND)).toBe(0);
    expect(goodput(bulk, 15 * SECOND, 20 * SECOND)).toBeGreaterThan(RECOVERING * 20e6 * EFFICIENCY);
  });
});

describe(`RACK (NC_SEED=${seed})`, () => {
  test("takes reordering of 3 ms for loss at first, then widens its window and undoes", () => {
    // Without a queue the minimum RTT stays near 40 ms: a quarter of it is 10 ms.
    const shape: Partial<LinkShape> = { rate: 50e6, delay: 20_000, jitter: 3_000, reorder: true, queuePackets: 2000 };
    const world = bareWorld([shape], seed);
    const { sender } = addBulk(world).from;
    world.run(SECOND / 2);
    const early = sender.recovery.recoveries;
    world.run(5 * SECOND);
    expect(early).toBeGreaterThan(0);
    // Of tens of thousands of segments most overtake one; recoveries end once the window is wide, but for a few in the tail of the law.
    expect(sender.rack.reorderingSeen).toBeGreaterThan(100);
    expect(sender.recovery.undone).toBeGreaterThan(0);
    expect(sender.recovery.recoveries - early).toBeLessThan(10);
  });

  test("suffers from reordering beyond a quarter of the minimum RTT", () => {
    const [mild, severe] = [500, 20_000].map((jitter) => {
      const world = bareWorld([{ rate: 50e6, delay: 20_000, jitter, reorder: true, queuePackets: 2000 }], seed);
      const bulk = addBulk(world);
      world.run(10 * SECOND);
      return { rate: goodput(bulk, 0, 10 * SECOND), retransmissions: bulk.from.sender.retransmissions };
    });
    expect(mild?.rate).toBeGreaterThan(RECOVERING * 50e6 * EFFICIENCY);
    // Clearly slower, and with false retransmissions in every second.
    expect(severe?.rate).toBeLessThan(0.8 * (mild?.rate as number));
    expect(severe?.retransmissions).toBeGreaterThan(2 * 10);
  });

  test("retransmits a listed loss once and a lost tail with a probe", () => {
    const world = bareWorld([{ rate: 20e6, delay: 10_000, lose: [50] }], seed);
    const bulk = addBulk(world);
    world.run(2 * SECOND);
    expect(bulk.from.sender.retransmissions).toBe(1);
    expect(bulk.from.sender.timeouts).toBe(0);

    const tail = bareWorld([{ rate: 20e6, delay: 10_000, lose: [11] }], seed);
    const short = addBulk(tail);
    short.from.sender.written = 10 * 1448;
    tail.run(2 * SECOND);
    expect(short.to.receiver.bytes).toBe(10 * 1448);
    expect(short.from.sender.probes).toBe(1);
    expect(short.from.sender.timeouts).toBe(0);
  });
});

describe(`BBR (NC_SEED=${seed})`, () => {
  test("fills 20 Mbit/s at 40 ms with a queue of at most one round trip", () => {
    const world = bareWorld([{ ...TWENTY, delay: 20_000 }], seed);
    const bulk = addBulk(world, { control: new Bbr(new SeededRandom(seed)) });
    const backlogs: number[] = [];
    world.every(SECOND / 100, (w) => {
      if (w.now > 2 * SECOND) backlogs.push(w.links[0]?.[0].queuedBytes ?? 0);
    });
    world.run(10 * SECOND);
    const roundTrip = (20e6 * 0.04) / 8;
    expect(goodput(bulk, 2 * SECOND, 10 * SECOND)).toBeGreaterThan(NEARLY_FULL * 20e6 * EFFICIENCY);
    expect(percentile(backlogs, 0.95)).toBeLessThan(roundTrip);
    // It probes with a gain of 1.25 for one of eight phases, and drains what that left.
    expect(percentile(backlogs, 0.5)).toBeLessThan(0.3 * roundTrip);
  });

  test("keeps its speed at 1 % loss and drains for 200 ms every 10 s", () => {
    const world = bareWorld([{ ...TWENTY, delay: 20_000, loss: 0.01 }], seed);
    const control = new Bbr(new SeededRandom(seed));
    const bulk = addBulk(world, { control });
    const modes = new Set<string>();
    world.every(SECOND / 20, () => modes.add(control.mode));
    world.run(25 * SECOND);
    expect(goodput(bulk, 2 * SECOND, 25 * SECOND)).toBeGreaterThan(RECOVERING * 20e6 * EFFICIENCY);
    for (const mode of ["startup", "probe-bandwidth", "probe-rtt"]) expect(modes).toContain(mode);
  });
});

describe("datagram senders", () => {
  test("record loss, delay and order of constant-rate UDP, IPv4 and IPv6", () => {
    for (const family of [4, 6] as const) {
      const world = bareWorld([{ rate: 10e6, delay: 7_000, lose: [3, 4] }], seed);
      const options = { port: 7, peerPort: 7, family, rate: 1e6, size: 500, startAt: 0, endAt: SECOND };
      const sender = world.add(0, (outlet) => new UdpSender(outlet, options));
      const receiver = world.add(1, (outlet) => new UdpReceiver(outlet, 7));
      world.run(2 * SECOND);
      expect(sender.sent).toBe(250);
      expect(receiver.numbers.length).toBe(248);
      expect(receiver.delays.every((delay) => delay > 7_000 && delay < 7_600)).toBe(true);
      expect(world.missing(0)).toBe(2);
    }
  });

  test("play TCP ping/pong, and lose one timeout's time to a lost ping", () => {
    const world = bareWorld([{ rate: 10e6, delay: 7_000, lose: [200] }], seed);
    world.change(0, { lose: [] }, [1]);
    const pingPong = addPingPong(world, SECOND / 10);
    world.run(10 * SECOND);
    // Two delays of 7 ms and the time of two packets; one timeout of at least 200 ms (TCP_RTO_MIN) and 4 deviations.
    expect(percentile(pingPong.rtts, 0.5)).toBeWithin(14_000, 14_500);
    expect(pingPong.longestGap).toBeWithin(200_000, 300_000);
    expect(pingPong.rtts.length).toBeGreaterThan((9.9 * SECOND - 300_000) / 14_500 - 10);
  });

  test("measure the round trip with echo", () => {
    const world = bareWorld([{ rate: 10e6, delay: 7_000 }], seed);
    const ping = world.add(0, (outlet) => new Ping(outlet, 9, SECOND / 10));
    world.add(1, (outlet) => new Echo(outlet, 9), 20_000);
    world.run(SECOND);
    expect(ping.rtts.length).toBe(10);
    // Two delays of 7 ms, two of 20 to the server, and the time of two packets.
    expect(percentile(ping.rtts, 0.5)).toBeWithin(54_000, 54_300);
  });
});

describe("the world", () => {
  test("repeats every event from one seed, and not from another", () => {
    const run = (given: number): number => {
      const world = bareWorld([{ ...TWENTY, loss: 0.01, jitter: 1_000, reorder: true }], given);
      addBulk(world, { control: new Bbr(new SeededRandom(given)) });
      world.run(3 * SECOND);
      return world.trace;
    };
    expect(run(seed)).toBe(run(seed));
    expect(run(seed)).not.toBe(run(seed + 1));
  });

  test("carries 40 Mbit/s over IPv6 with server and gateway apart", () => {
    const world = bareWorld([{ rate: 40e6, delay: 5_000, queuePackets: 500 }], seed);
    const bulk = addBulk(world, { from: 1, distance: 10_000, tcp: { family: 6 } });
    world.run(5 * SECOND);
    expect(goodput(bulk, 2 * SECOND, 5 * SECOND)).toBeGreaterThan(NEARLY_FULL * 40e6 * (1428 / 1518));
    // Two delays of 5 ms, and two of 10 to the server.
    expect(bulk.from.sender.rack.minRtt).toBeGreaterThan(2 * (5_000 + 10_000));
  });
});
