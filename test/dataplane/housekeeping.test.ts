import { describe, expect, test } from "bun:test";
import { Housekeeping } from "../../src/dataplane/housekeeping.ts";

const SECOND = 1_000_000;

/** A thread whose turns come one after the other; how often it has tidied up. */
function started() {
  let tidied = 0;
  const housekeeping = new Housekeeping(() => {
    tidied++;
  });
  let [now, packets] = [5 * SECOND, 0];
  housekeeping.turn(now, packets);
  return {
    /** Turns over `seconds`, `rate` packets in each of them. */
    pass(seconds: number, rate: number) {
      for (let i = 0; i < seconds * 10; i++) {
        now += SECOND / 10;
        packets += rate / 10;
        housekeeping.turn(now, packets);
      }
      return tidied;
    },
  };
}

describe("Housekeeping", () => {
  test("tidies up once after the start, when nothing happens", () => {
    const thread = started();
    expect(thread.pass(1, 0)).toBe(0);
    expect(thread.pass(3, 0)).toBe(1);
    expect(thread.pass(600, 0)).toBe(1);
  });

  test("waits for the end of a load, and then for a lull", () => {
    const thread = started();
    expect(thread.pass(60, 50_000)).toBe(0);
    expect(thread.pass(1, 10)).toBe(0);
    expect(thread.pass(3, 10)).toBe(1);
  });

  test("leaves little traffic alone", () => {
    const thread = started();
    thread.pass(5, 0);
    expect(thread.pass(100, 50)).toBe(1);
    expect(thread.pass(1, 25_000)).toBe(1);
    expect(thread.pass(5, 50)).toBe(2);
  });

  test("counts turns that are far apart", () => {
    let tidied = 0;
    const rare = new Housekeeping(() => {
      tidied++;
    });
    rare.turn(1, 0);
    rare.turn(10 * SECOND, 2);
    expect(tidied).toBe(1);
  });
});
