import { expect, test } from "bun:test";
import { PLAN } from "./addresses.ts";
import { atLeast, atMost, describeLab, line, measured, WAYS } from "./lab.ts";
import { ping } from "./ping.ts";

// Of 1518 bytes on the wire TCP carries 1448 over IPv4 and 1428 over IPv6, time stamps included.
const SHARE = { 4: 1448 / 1518, 6: 1428 / 1518 } as const;

/** Share of the link's rate that TCP carries: its slow start is left out but for its last rounds, and the queue lends at most a fortieth. */
const LEAST_SHARE = 0.95;
const MOST_SHARE = 1.03;
/** Twice the delay of 5 ms; and what the emulator's grain of 100 µs, at both ends, and the kernels of four places add, ms. */
const ROUND_TRIP = 10;
const MOST_ROUND_TRIP = 11.5;
/** Loss of the link; of 800 datagrams its standard deviation is 1.4 %, and five of them and a little are allowed. */
const LOSS = 0.2;
const LOSS_DEVIATION = 0.08;

describeLab("an emulated link", { links: [line(16e6), line(50e6)] }, (lab) => {
  for (const [link, rate] of [
    [0, 16],
    [1, 50],
  ] as const)
    measured(`of ${rate} Mbit/s carries as much TCP each way`, async () => {
      for (const way of WAYS) {
        const { steadyMbits } = await lab.traffic.bulk({ from: PLAN[4].direct(link), way, millis: 2_500 });
        atLeast(`${way}, Mbit/s`, steadyMbits, LEAST_SHARE * SHARE[4] * rate);
        atMost(`${way}, Mbit/s`, steadyMbits, MOST_SHARE * SHARE[4] * rate);
      }
    });

  measured("has its delay, in both IP versions", async () => {
    for (const family of [4, 6] as const) {
      const { from, to } = { from: PLAN[family].direct(0), to: PLAN[family].server };
      const { median, lost } = await ping(lab.topology, "client", { from, to, count: 25 });
      atLeast(`IPv${family} round trip, ms`, median, ROUND_TRIP);
      atMost(`IPv${family} round trip, ms`, median, MOST_ROUND_TRIP);
      expect(lost).toBe(0);
    }
  });

  measured("loses what it is told to lose, and nothing else", async () => {
    await lab.topology.change(0, { up: { loss: LOSS } });
    const stream = () => lab.traffic.stream(PLAN[4].direct(0), "up", 200_000, 2_000, 500);
    const lossy = await stream();
    await lab.topology.change(0, { up: { loss: 0 } });
    const clean = await stream();
    atLeast("lost, share", 1 - lossy.received / lossy.sent, LOSS - LOSS_DEVIATION);
    atMost("lost, share", 1 - lossy.received / lossy.sent, LOSS + LOSS_DEVIATION);
    expect(clean.received).toBe(clean.sent);
  });

  test("is silent while it is cut, in one direction or both", async () => {
    const { server: to } = PLAN[4];
    const from = PLAN[4].direct(0);
    const round = () => ping(lab.topology, "client", { from, to, count: 5 });
    const silence = () => ping(lab.topology, "client", { from, to, count: 5, waitMillis: 1_000 });
    await lab.topology.cut(0, "down");
    expect((await silence()).roundTrips).toEqual([]);
    await lab.topology.restore(0, "down");
    expect((await round()).lost).toBe(0);
    await lab.topology.cut(0);
    expect((await silence()).roundTrips).toEqual([]);
    await lab.topology.restore(0);
    expect((await round()).lost).toBe(0);
  });
});
