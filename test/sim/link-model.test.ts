import { describe, expect, test } from "bun:test";
import { MICROS_PER_MILLI, type Micros, NEVER } from "../../src/clock.ts";
import { LINK_DROP, LinkModel, type LinkOutput, type LinkShape } from "./link-model.ts";

class Record implements LinkOutput {
  readonly ids: number[] = [];
  readonly times: Micros[] = [];
  readonly lost: number[] = [];
  arrive(id: number, at: Micros): void {
    this.ids.push(id);
    this.times.push(at);
  }
  discard(id: number): void {
    this.lost.push(id);
  }
}

const seed = Number(process.env.NC_SEED ?? 4725);

/** Standard deviations that a share counted over draws of chance may be off: of 16,000 seeds one is further. */
const DEVIATIONS = 4;

/** Returns a link without wire overhead. */
function link(shape: Partial<LinkShape>): LinkModel {
  return new LinkModel({ overhead: 0, ...shape }, seed);
}

function offerAll(model: LinkModel, out: Record, count: number, size: number, interval: Micros): void {
  for (let i = 0; i < count; i++) {
    model.advance(i * interval, out);
    model.offer(i * interval, size, i, out);
  }
}

describe("LinkModel", () => {
  test("sends one packet after another at its rate, then delays them", () => {
    const model = link({ rate: 8e6, delay: 5_000 });
    const out = new Record();
    offerAll(model, out, 3, 1000, 0);
    expect(model.next()).toBe(1000);
    model.advance(1e9, out);
    expect(out.times).toEqual([6_000, 7_000, 8_000]);
    expect(model.held).toBe(0);
    expect(model.next()).toBe(NEVER);
  });

  test("counts the wire's overhead in the rate", () => {
    const model = new LinkModel({ rate: 8e6, overhead: 18 }, seed);
    const out = new Record();
    model.offer(0, 982, 1, out);
    model.advance(1e6, out);
    expect(out.times).toEqual([1000]);
  });

  test("drops at the tail when packets, bytes or time of the queue are full", () => {
    for (const bound of [{ queuePackets: 4 }, { queueBytes: 4000 }, { queueTime: 3_000 }]) {
      const model = link({ rate: 8e6, ...bound });
      const out = new Record();
      offerAll(model, out, 10, 1000, 0);
      model.advance(1e6, out);
      expect(out.ids).toEqual([0, 1, 2, 3]);
      expect(model.drops[LINK_DROP.QUEUE]).toBe(6);
    }
  });

  test("drains the queue at a rate that was changed meanwhile", () => {
    const model = link({ rate: 8e6 });
    const out = new Record();
    offerAll(model, out, 2, 1000, 0);
    model.change(500, { rate: 4e6 }, out);
    expect(model.queuedBytes).toBe(1500);
    model.advance(1e6, out);
    expect(out.times).toEqual([1_500, 3_500]);
  });

  test("follows a trace, through an outage", () => {
    const model = link({
      rate: 8e6,
      trace: [
        [1_500, 0],
        [5_000, 4e6],
      ],
    });
    const out = new Record();
    offerAll(model, out, 3, 1000, 0);
    model.advance(2_000, out);
    expect(model.next()).toBe(5_000);
    model.advance(1e6, out);
    expect(out.times).toEqual([1_000, 6_000, 8_000]);
  });

  test("gives the same result whether advanced in small steps or at once", () => {
    const shape: Partial<LinkShape> = {
      rate: 10e6,
      delay: 20_000,
      jitter: 3_000,
      reorder: true,
      loss: 0.05,
      trace: [
        [30_000, 3e6],
        [60_000, 20e6],
      ],
      slots: { interval: 5_000, packets: 8 },
    };
    const runs = [1, 7_000].map((step) => {
      const model = link(shape);
      const out = new Record();
      offerAll(model, out, 100, 1500, 700);
      for (let now = 70_000; now < 1_000_000; now += 700 * step) model.advance(now, out);
      model.advance(2e6, out);
      return [out.ids, out.times.map((t) => t.toFixed(3)), out.lost];
    });
    expect(runs[0]).toEqual(runs[1] as never);
  });

  test("loses without a word what is larger than its MTU, the wire's overhead not counted", () => {
    const model = link({ mtu: 1_400 });
    const out = new Record();
    for (const size of [1_400, 1_401, 20]) model.offer(0, size, size, out);
    model.advance(1, out);
    expect(out.ids).toEqual([1_400, 20]);
    expect(model.drops[LINK_DROP.MTU]).toBe(1);
  });

  test("has jitter of the normal law, whose negative sums count as no delay", () => {
    const [delay, jitter, count] = [20_000, 20_000, 20_000];
    const model = link({ delay, jitter, reorder: true });
    const out = new Record();
    offerAll(model, out, count, 1000, 1_000);
    model.advance(1e9, out);
    const delays = out.ids.map((id, i) => (out.times[i] as number) - id * 1_000);
    const share = (limit: number) => delays.filter((value) => value <= limit).length / count;
    const expected = [0.1587, 0.5, 0.8413, 0.9772];
    for (const [i, limit] of [0, delay, delay + jitter, delay + 2 * jitter].entries()) {
      const p = expected[i] as number;
      expect(Math.abs(share(limit) - p)).toBeLessThan(DEVIATIONS * Math.sqrt((p * (1 - p)) / count));
    }
  });

  test("keeps order with in-order jitter and overtakes with reordering jitter", () => {
    for (const reorder of [false, true]) {
      const model = link({ delay: 20_000, jitter: 5_000, reorder });
      const out = new Record();
      offerAll(model, out, 500, 1000, 200);
      model.advance(1e9, out);
      const inOrder = out.ids.every((id, i) => id === i);
      expect(inOrder).toBe(!reorder);
      expect(out.ids.length).toBe(500);
      expect(out.times.every((t, i) => i === 0 || t >= (out.times[i - 1] as number))).toBe(true);
    }
  });

  test("loses the listed packets and ends after n", () => {
    const model = link({ lose: [1, 3], endAfter: 6 });
    const out = new Record();
    offerAll(model, out, 8, 100, 10);
    model.advance(1e6, out);
    expect(out.ids).toEqual([0, 2, 4, 5]);
    expect(out.lost).toEqual([1, 3]);
    expect(model.drops[LINK_DROP.ENDED]).toBe(2);
  });

  test("loses about its share at random and in bursts of the expected length", () => {
    const count = 200_000;
    const random = link({ loss: 0.02 });
    const out = new Record();
    offerAll(random, out, count, 100, 10);
    random.advance(1e9, out);
    expect(Math.abs(out.lost.length / count - 0.02)).toBeLessThan(DEVIATIONS * Math.sqrt((0.02 * 0.98) / count));

    const bursty = link({ bursts: { goodToBad: 0.01, badToGood: 0.2, lossWhenGood: 0, lossWhenBad: 1 } });
    const burstyOut = new Record();
    offerAll(bursty, burstyOut, count, 100, 10);
    bursty.advance(1e9, burstyOut);
    const starts = burstyOut.lost.filter((id, i) => i === 0 || id !== (burstyOut.lost[i - 1] as number) + 1).length;
    // A share of 0.01 / 0.21 in bursts of 1 / 0.2; the bursts are some 2,000, so a tenth is over three deviations.
    expect(burstyOut.lost.length / count / (0.01 / 0.21)).toBeWithin(0.9, 1.1);
    expect(burstyOut.lost.length / starts / 5).toBeWithin(0.9, 1.1);
  });

  test("delivers a duplicated packet twice and says so when it is offered", () => {
    const model = link({ duplicate: 1 });
    const out = new Record();
    expect(model.offer(0, 100, 7, out)).toBe(2);
    model.advance(1, out);
    expect(out.ids).toEqual([7, 7]);
  });

  test("lets packets out only in slots, so many each", () => {
    const model = link({ slots: { interval: 5_000, packets: 2 } });
    const out = new Record();
    offerAll(model, out, 5, 100, 1);
    model.advance(1e6, out);
    expect(out.times).toEqual([0, 5_000, 5_000, 10_000, 10_000]);
  });

  test("polices to rate and burst without queueing", () => {
    const model = link({ policer: { rate: 8e6, burst: 10_000 } });
    const out = new Record();
    offerAll(model, out, 2000, 1000, 500);
    model.advance(1e9, out);
    expect(out.times[5]).toBe(2_500);
    // A second of 1 MB/s in packets of 1000 bytes, and the burst's ten.
    expect(out.ids.length).toBeWithin(1_005, 1_012);
  });

  test("loses what is inside when it is cut and is empty when it returns", () => {
    const model = link({ rate: 8e6, delay: 10_000 });
    const out = new Record();
    offerAll(model, out, 10, 1000, 0);
    model.cut(12_500, out);
    expect(out.ids).toEqual([0, 1]);
    expect(model.offer(13_000, 1000, 99, out)).toBe(0);
    model.uncut(30 * MICROS_PER_MILLI, out);
    expect(out.ids.length + out.lost.length).toBe(10);
    expect(model.held).toBe(0);
    model.offer(30_000, 1000, 11, out);
    model.advance(1e6, out);
    expect(out.ids.at(-1)).toBe(11);
    expect(out.times.at(-1)).toBe(41_000);
  });
});
