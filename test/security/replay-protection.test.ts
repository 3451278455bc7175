import { describe, expect, test } from "bun:test";
import { DROP } from "../../src/drops.ts";
import {
  SHARED_WINDOW,
  SharedSequenceGenerator,
  SharedSequenceVerifier,
} from "../../src/security/replay-protection.ts";

const bytes = new Uint8Array(16);
const view = new DataView(bytes.buffer);

function verify(verifier: SharedSequenceVerifier, sequence: bigint): number {
  view.setBigUint64(4, sequence);
  return verifier.verify(bytes, view, 0, 4);
}

describe("SharedSequenceGenerator", () => {
  test("writes eight bytes, big-endian, from 0 up", () => {
    const generator = new SharedSequenceGenerator();
    expect(generator.size).toBe(8);
    for (let i = 0n; i < 300n; i++) {
      generator.generate(bytes, view, 0, 4);
      expect(view.getBigUint64(4)).toBe(i);
    }
  });
});

describe("SharedSequenceVerifier", () => {
  test("accepts each sequence once, in any order inside the window", () => {
    const verifier = new SharedSequenceVerifier();
    const last = BigInt(SHARED_WINDOW);
    for (const sequence of [0n, last, 5n, last - 1n]) expect(verify(verifier, sequence)).toBe(0);
    for (const sequence of [5n, last, last - 1n]) expect(verify(verifier, sequence)).toBe(DROP["datagram-replayed"]);
  });

  test("tells sequences apart that differ only above 32 bits", () => {
    const verifier = new SharedSequenceVerifier();
    expect(verify(verifier, 7n)).toBe(0);
    expect(verify(verifier, (1n << 32n) + 7n)).toBe(0);
    expect(verify(verifier, (1n << 32n) + 7n)).toBe(DROP["datagram-replayed"]);
  });

  test("refuses sequences a number cannot hold, and stays usable", () => {
    const verifier = new SharedSequenceVerifier();
    for (const sequence of [1n << 53n, (1n << 64n) - 1n]) {
      expect(verify(verifier, sequence)).toBe(DROP["datagram-replayed"]);
    }
    expect(verify(verifier, 0n)).toBe(0);
    expect(verify(verifier, (1n << 53n) - 1n)).toBe(0);
  });
});
