import { describe, expect, test } from "bun:test";
import { NEVER } from "../../src/clock.ts";
import { SeededRandom } from "../support/random.ts";
import { TimerQueue } from "./timer-queue.ts";

describe("TimerQueue", () => {
  test("gives items by time, and those of one time in the order they came", () => {
    const random = new SeededRandom(Number(process.env.NC_SEED ?? 4725));
    const queue = new TimerQueue();
    const wanted: { time: number; item: number }[] = [];
    for (let item = 0; item < 1000; item++) {
      const time = random.below(50);
      queue.push(time, item);
      wanted.push({ time, item });
    }
    wanted.sort((a, b) => a.time - b.time || a.item - b.item);
    for (const { time, item } of wanted) {
      expect(queue.time).toBe(time);
      expect(queue.shift()).toBe(item);
    }
    expect(queue.time).toBe(NEVER);
    expect(queue.shift()).toBe(-1);
  });
});
