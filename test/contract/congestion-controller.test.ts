/** The contract of every congestion controller, whatever it estimates. A new one is a line in the table. */
import { describe, expect, test } from "bun:test";
import type { CongestionController } from "../../src/congestion/controller.ts";
import { NewReno } from "../../src/congestion/new-reno.ts";
import { NoCongestionControl } from "../../src/congestion/none.ts";
import { RateController } from "../../src/congestion/rate.ts";
import { ackSample } from "../support/ack-sample.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const DATAGRAM = 1_400;

const CONTROLLERS: Readonly<Record<string, () => CongestionController>> = {
  newreno: () => new NewReno(DATAGRAM),
  none: () => new NoCongestionControl(),
  rate: () => new RateController(DATAGRAM),
};

/** A path as a controller sees it: sends, is acknowledged, loses and pauses at random, with sane numbers. */
class RandomPath {
  readonly #random: SeededRandom;
  readonly #controller: CongestionController;
  now = 1_000_000;
  inFlight = 0;
  #number = 0;
  #received = 0;

  constructor(random: SeededRandom, controller: CongestionController) {
    this.#random = random;
    this.#controller = controller;
  }

  step(): void {
    const kind = this.#random.below(100);
    this.now += this.#random.below(20_000);
    if (kind < 50) this.#send();
    else if (kind < 93) this.#acknowledge();
    else if (kind < 99) this.#lose();
    else this.#controller.onIdleRestart(this.now);
  }

  #send(): void {
    for (let i = 0; i < 10 && this.inFlight < this.#controller.window; i++) {
      this.#controller.onSent(this.now, this.#number++, DATAGRAM);
      this.inFlight += DATAGRAM;
    }
  }

  #take(): number {
    return Math.min(this.inFlight, DATAGRAM * this.#random.below(8));
  }

  #acknowledge(): void {
    const bytes = this.#take();
    if (bytes === 0) return;
    const rtt = 1 + this.#random.below(400_000);
    const priorInFlight = this.inFlight;
    this.inFlight -= bytes;
    this.#received += bytes;
    this.#controller.onAcked(
      ackSample({
        now: this.now,
        bytes,
        packets: bytes / DATAGRAM,
        rtt,
        smoothedRtt: rtt,
        minRtt: 1 + this.#random.below(rtt),
        sentAt: this.now - rtt,
        priorInFlight,
        inFlight: this.inFlight,
        largest: this.#number - 1,
        latest: this.#number - 1,
        ackDelay: this.#random.below(25_000),
        sentBytes: this.#number * DATAGRAM,
        receivedBytes: this.#received,
        receivedAt: this.now - rtt / 2,
        delay: rtt / 2,
        jitter: this.#random.below(5_000),
      }),
    );
  }

  #lose(): void {
    const bytes = this.#take();
    if (bytes === 0) return;
    this.inFlight -= bytes;
    this.#controller.onLost(this.now, bytes, bytes / DATAGRAM, this.now - this.#random.below(400_000));
  }
}

describe.each(Object.entries(CONTROLLERS))("congestion controller %s", (name, create) => {
  test("goes by its name", () => expect(create().name).toBe(name));

  test("lets at least two datagrams go at the start", () => {
    expect(create().window).toBeGreaterThanOrEqual(2 * DATAGRAM);
    expect(create().pacingRate).toBeGreaterThan(0);
  });

  test("never lets its window below a datagram, its rate to nothing, or either to be no number", () => {
    seeded((random) => {
      for (let round = 0; round < 20; round++) {
        const controller = create();
        const path = new RandomPath(random, controller);
        for (let i = 0; i < 500; i++) {
          path.step();
          const { window, pacingRate, estimate } = controller;
          if (!(window >= DATAGRAM && pacingRate > 0 && estimate >= 0)) {
            throw new Error(`step ${i}: window ${window}, rate ${pacingRate}, estimate ${estimate}`);
          }
        }
      }
    })();
  });

  test("paces at no more than its limit, and raises no estimate for it", () => {
    seeded((random) => {
      const controller = create();
      controller.limit = 250_000;
      const path = new RandomPath(random, controller);
      for (let i = 0; i < 500; i++) {
        path.step();
        expect(controller.pacingRate).toBeLessThanOrEqual(250_000);
      }
    })();
  });

  test("is decided by its inputs alone", () => {
    const trace = () => {
      const values: number[] = [];
      seeded((random) => {
        const controller = create();
        const path = new RandomPath(random, controller);
        for (let i = 0; i < 400; i++) {
          path.step();
          values.push(controller.window, controller.pacingRate);
        }
      })();
      return values;
    };
    expect(trace()).toEqual(trace());
  });

  test("never allows more after a loss than before", () => {
    const controller = create();
    for (let i = 0; i < 40; i++) {
      controller.onSent(i * 1_000, i, DATAGRAM);
      controller.onAcked(ackSample({ now: 50_000 + i * 1_000, sentAt: i * 1_000, bytes: DATAGRAM, largest: i }));
    }
    const before = controller.window;
    controller.onLost(200_000, 5 * DATAGRAM, 5, 199_000);
    expect(controller.window).toBeLessThanOrEqual(before);
  });
});
