import { describe, expect, test } from "bun:test";
import { extendPacketNumber, indexOf, packetNumberOf, TYPE, typeOf, writeHeader } from "../../src/wire/datagram.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const SPAN = 2 ** 32;

function drawExpected(random: SeededRandom): number {
  return random.below(4) * SPAN + (random.chance(0.3) ? random.below(3) : random.uint32());
}

describe("writeHeader", () => {
  test("writes the known bytes", () => {
    const bytes = new Uint8Array(10).fill(0xee);
    writeHeader(new DataView(bytes.buffer), 1, TYPE.TRANSPORT, 0x123456, 0x789abcde);
    expect(bytes.toHex()).toBe("ee40123456789abcdeee");
  });

  test("keeps the low 32 bits of the packet number and the low 24 of the index", () => {
    const view = new DataView(new ArrayBuffer(8));
    writeHeader(view, 0, TYPE.EXCHANGE_RESPONSE, 0x1ffffff, 3 * SPAN + 0xfffffffe);
    expect([typeOf(view, 0), indexOf(view, 0), packetNumberOf(view, 0)]).toEqual([2, 0xffffff, 0xfffffffe]);
  });
});

describe("extendPacketNumber", () => {
  test("finds every number within 2^31 of what is expected", () => {
    seeded((random) => {
      for (let i = 0; i < 20_000; i++) {
        const expected = drawExpected(random);
        const distance = random.chance(0.3) ? random.below(4) : random.below(SPAN / 2);
        const number = Math.max(0, expected + (random.chance(0.5) ? distance : -distance));
        if (extendPacketNumber(number % SPAN, expected) !== number) throw new Error(`${number} near ${expected}`);
      }
    })();
  });

  test("gives the nearest number with these low bits, whatever they are", () => {
    seeded((random) => {
      for (let i = 0; i < 20_000; i++) {
        const expected = random.below(5) * SPAN + random.uint32();
        const low = random.uint32();
        const number = extendPacketNumber(low, expected);
        expect(number % SPAN).toBe(low);
        const others = [number - SPAN, number + SPAN].filter((other) => other >= 0);
        for (const other of others) {
          expect(Math.abs(other - expected)).toBeGreaterThanOrEqual(Math.abs(number - expected));
        }
      }
    })();
  });

  // RFC 9000 appendix A.3, with 32 bits instead of 16.
  test("follows the example of the RFC", () => {
    expect(extendPacketNumber(0x00009b32, 0xa82f_0000_0000 + 0x30eb)).toBe(0xa82f_0000_9b32);
  });

  test("reaches from just above 2^31 below what is expected to 2^31 above", () => {
    const half = SPAN / 2;
    for (const expected of [3 * SPAN + 12_345, 3 * SPAN + 0xc0000000]) {
      for (const number of [expected - half + 1, expected + half - 1, expected + half]) {
        expect(extendPacketNumber(number % SPAN, expected)).toBe(number);
      }
    }
  });

  test("never goes below zero", () => {
    expect(extendPacketNumber(0xffffffff, 0)).toBe(0xffffffff);
    expect(extendPacketNumber(0xffffffff, SPAN)).toBe(0xffffffff);
  });
});
