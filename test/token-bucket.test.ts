import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../src/clock.ts";
import { TokenBucket } from "../src/token-bucket.ts";

describe("TokenBucket", () => {
  test("begins with what it is given and earns at the rate", () => {
    const bucket = new TokenBucket(3);
    expect(bucket.fill(0, 10, 100)).toBe(3);
    expect(bucket.fill(MICROS_PER_SECOND / 2, 10, 100)).toBe(8);
  });

  test("saves up no more than its depth", () => {
    expect(new TokenBucket(0).fill(1_000 * MICROS_PER_SECOND, 10, 7)).toBe(7);
  });

  test("may be overdrawn, and tells when there will be enough again", () => {
    const bucket = new TokenBucket(1);
    bucket.spend(5);
    expect(bucket.fill(0, 2, 10)).toBe(-4);
    expect(bucket.readyAt(0, 2, 1)).toBe(2.5 * MICROS_PER_SECOND);
  });

  test("is ready now while any token is left", () => {
    expect(new TokenBucket(0.5).readyAt(42, 1, 10)).toBe(42);
  });

  test("earns nothing when the clock stands or steps back", () => {
    const bucket = new TokenBucket(0);
    bucket.fill(1_000, 1_000_000, 5_000);
    expect(bucket.fill(400, 1_000_000, 5_000)).toBe(1_000);
  });

  test("gives who waited and comes late what arrived meanwhile, in that turn alone and up to the bound", () => {
    const bucket = new TokenBucket(0, 1_000);
    expect(bucket.readyAt(0, MICROS_PER_SECOND, 10)).toBe(10);
    expect(bucket.fill(510, MICROS_PER_SECOND, 100)).toBe(510);
    bucket.spend(5);
    expect(bucket.fill(510, MICROS_PER_SECOND, 100)).toBe(505);
    expect(bucket.fill(511, MICROS_PER_SECOND, 100)).toBe(100);
    bucket.spend(100);
    bucket.readyAt(511, MICROS_PER_SECOND, 10);
    expect(bucket.fill(90_000, MICROS_PER_SECOND, 100)).toBe(1_100);
  });

  test("gives who did not wait no more than its depth", () => {
    const bucket = new TokenBucket(0, 1_000);
    expect(bucket.fill(90_000, MICROS_PER_SECOND, 100)).toBe(100);
  });
});
