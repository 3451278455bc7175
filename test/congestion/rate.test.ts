import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import type { AckSample } from "../../src/congestion/controller.ts";
import { RateController } from "../../src/congestion/rate.ts";

const DATAGRAM = 1_400;
const MBIT = 125_000;

interface Bottleneck {
  /** Bytes per second, and one-way delay. */
  rate: number;
  delay: number;
  /** Every so many datagrams are lost; 0 for none. */
  loseEvery: number;
  /** Bytes per second beyond which datagrams are dropped; Infinity for none. */
  policer: number;
}

/** A path in fluid steps of one datagram: paces as the controller says, queues at the bottleneck, and reports every 10 ms. */
class Loop {
  readonly controller = new RateController(DATAGRAM);
  readonly link: Bottleneck;
  now = 0;
  queue = 0;
  smallestPace = Number.POSITIVE_INFINITY;
  #number = 0;
  #freeAt = 0;
  #tokens = 20 * DATAGRAM;
  #tokensAt = 0;
  #received = 0;
  #reportAt = 0;
  #base = Number.POSITIVE_INFINITY;
  #lost = 0;
  readonly #flying: { number: number; at: number; delay: number }[] = [];

  constructor(link: Partial<Bottleneck>) {
    this.link = { rate: 20 * MBIT, delay: 20_000, loseEvery: 0, policer: Number.POSITIVE_INFINITY, ...link };
  }

  run(seconds: number): this {
    const end = this.now + seconds * MICROS_PER_SECOND;
    while (this.now < end) {
      const pace = Math.min(this.controller.pacingRate, 1_000 * MBIT);
      this.smallestPace = Math.min(this.smallestPace, pace);
      const mayGo = this.#flying.length * DATAGRAM < this.controller.window;
      if (mayGo) this.#send();
      this.now += mayGo ? Math.min(100_000, (DATAGRAM * MICROS_PER_SECOND) / pace) : 1_000;
      if (this.now >= this.#reportAt) this.#report();
    }
    return this;
  }

  #send(): void {
    const number = this.#number++;
    this.controller.onSent(this.now, number);
    if (this.#isLost(number)) {
      this.#lost++;
      return;
    }
    this.#freeAt = Math.max(this.#freeAt, this.now) + (DATAGRAM * MICROS_PER_SECOND) / this.link.rate;
    const at = this.#freeAt + this.link.delay;
    this.queue = this.#freeAt - this.now;
    this.#flying.push({ number, at, delay: at - this.now });
  }

  #isLost(number: number): boolean {
    const { policer, loseEvery } = this.link;
    this.#tokens = Math.min(20 * DATAGRAM, this.#tokens + ((this.now - this.#tokensAt) * policer) / MICROS_PER_SECOND);
    this.#tokensAt = this.now;
    if (this.#tokens < DATAGRAM) return true;
    this.#tokens -= DATAGRAM;
    return loseEvery > 0 && number % loseEvery === loseEvery - 1;
  }

  #report(): void {
    this.#reportAt = this.now + 10_000;
    let last: { number: number; at: number; delay: number } | undefined;
    let count = 0;
    while (this.#flying[0] && this.#flying[0].at + this.link.delay <= this.now) {
      last = this.#flying.shift();
      count++;
    }
    if (!last) return;
    this.#received += count * DATAGRAM;
    this.#base = Math.min(this.#base, last.delay);
    if (this.#lost > 0) this.controller.onLost(this.now, this.#lost * DATAGRAM, this.#lost);
    this.#lost = 0;
    this.controller.onAcked(this.#sample(last.number, last.at, last.delay, count));
  }

  #sample(number: number, at: number, delay: number, count: number): AckSample {
    const rtt = delay + this.link.delay;
    return {
      now: this.now,
      bytes: count * DATAGRAM,
      packets: count,
      rtt,
      smoothedRtt: rtt,
      minRtt: this.#base + this.link.delay,
      sentAt: at - delay,
      priorInFlight: 0,
      inFlight: 0,
      largest: number,
      latest: number,
      receivedBytes: this.#received,
      receivedAt: at,
      ackDelay: 0,
      sentBytes: (number + 1) * DATAGRAM,
      delay,
      jitter: 0,
    };
  }
}

describe("RateController", () => {
  test("finds the rate of a path and leaves no queue", () => {
    for (const rate of [2 * MBIT, 20 * MBIT, 200 * MBIT]) {
      const loop = new Loop({ rate }).run(4);
      expect(loop.controller.isSettled).toBe(true);
      expect(loop.controller.estimate / rate).toBeGreaterThan(0.9);
      expect(loop.controller.estimate / rate).toBeLessThan(1.1);
      expect(loop.queue).toBeLessThan(20_000);
    }
  });

  test("follows a rate that falls, and one that returns", () => {
    const loop = new Loop({}).run(3);
    loop.link.rate = 4 * MBIT;
    loop.run(4);
    expect(loop.controller.estimate).toBeLessThan(5 * MBIT);
    expect(loop.queue).toBeLessThan(40_000);
    loop.link.rate = 20 * MBIT;
    loop.run(5);
    expect(loop.controller.estimate).toBeGreaterThan(16 * MBIT);
  });

  test("does not slow down for loss that has nothing to do with the rate", () => {
    const loop = new Loop({ loseEvery: 40 }).run(6);
    expect(loop.controller.estimate).toBeGreaterThan(18 * MBIT);
    expect(loop.controller.randomLoss).toBeGreaterThan(0.005);
  });

  test("takes a policer for what it is", () => {
    const loop = new Loop({ rate: 100 * MBIT, policer: 10 * MBIT }).run(8);
    expect(loop.controller.estimate).toBeLessThan(13 * MBIT);
    expect(loop.controller.estimate).toBeGreaterThan(7 * MBIT);
  });

  test("never sends less than a few datagrams each round trip, whatever happens", () => {
    const loop = new Loop({}).run(3);
    for (let i = 0; i < 200; i++) loop.controller.onIdleRestart(loop.now);
    const floor = (4 * DATAGRAM * MICROS_PER_SECOND) / 45_000;
    expect(loop.controller.pacingRate).toBeGreaterThan(floor);
    loop.link.rate = MBIT / 100;
    loop.run(5);
    expect(loop.controller.pacingRate).toBeGreaterThan(0);
    expect(loop.controller.window).toBeGreaterThanOrEqual(4 * DATAGRAM);
  });

  test("does not count as loss what has arrived after all", () => {
    const loop = new Loop({});
    const { controller } = loop;
    loop.run(2);
    const before = controller.randomLoss;
    for (let i = 0; i < 20; i++) {
      controller.onLost(loop.now, 50 * DATAGRAM, 50);
      controller.onSpurious(50);
      loop.run(0.1);
    }
    expect(controller.randomLoss).toBeLessThanOrEqual(before);
  });
});
