import { describe, expect, test } from "bun:test";
import { ACK_SIZE, Ack, MAX_RANGES } from "../../src/wire/ack.ts";
import { seeded } from "../support/seed.ts";

const FIELDS = [
  "index",
  "ack",
  "nack",
  "largest",
  "latest",
  "receivedAt",
  "delay",
  "packets",
  "bytes",
  "ranges",
] as const;

function ackWith(values: Partial<Record<(typeof FIELDS)[number], number>>, pairs: readonly number[] = []): Ack {
  const ack = Object.assign(new Ack(), values, { ranges: pairs.length / 2 });
  ack.pairs.set(pairs);
  return ack;
}

describe("Ack", () => {
  const sample = ackWith(
    {
      index: 0x010203,
      ack: 0x04050607,
      nack: 0x08090a0b,
      largest: 0x0c0d0e0f,
      latest: 0x30313233,
      receivedAt: 0x10111213,
      delay: 0x141516,
      packets: 0x1718191a,
      bytes: 0x1b1c1d1e,
    },
    [0, 0x2122, 0x2324, 0x2526],
  );
  const known =
    "2001020304050607 08090a0b0c0d0e0f 30313233 1011121314151617 18191a1b1c1d1e02 0000212223242526".replaceAll(" ", "");

  test("writes the known bytes", () => {
    const bytes = new Uint8Array(sample.size);
    sample.write(new DataView(bytes.buffer), 0);
    expect(bytes.toHex()).toBe(known);
  });

  test("reads back what was written, at any offset and with any number of ranges", () => {
    const view = new DataView(new ArrayBuffer(400));
    const read = new Ack();
    seeded((random) => {
      for (let ranges = 0; ranges <= MAX_RANGES; ranges++) {
        const pairs = Array.from({ length: 2 * ranges }, () => random.below(0x10000));
        const u32 = () => random.uint32();
        const written = ackWith(
          {
            index: random.below(2 ** 24),
            ack: u32(),
            nack: u32(),
            largest: u32(),
            latest: u32(),
            receivedAt: u32(),
            delay: random.below(2 ** 24),
            packets: u32(),
            bytes: u32(),
          },
          pairs,
        );
        const offset = random.below(50);
        written.write(view, offset);
        expect(read.read(view, offset, offset + written.size)).toBe(written.size);
        for (const field of FIELDS) expect(read[field]).toBe(written[field]);
        expect([...read.pairs.subarray(0, 2 * ranges)]).toEqual(pairs);
      }
    })();
  });

  test("refuses to read one that is cut short, at every length, and changes nothing", () => {
    const view = new DataView(Uint8Array.fromHex(known).buffer);
    const read = ackWith({ largest: 77 });
    for (let end = 0; end < sample.size; end++) expect(read.read(view, 0, end)).toBe(-1);
    expect(read.largest).toBe(77);
    expect(read.read(view, 0, sample.size)).toBe(sample.size);
  });

  test("refuses more ranges than there may be", () => {
    const view = new DataView(new ArrayBuffer(ACK_SIZE + 4 * 255));
    for (let ranges = MAX_RANGES + 1; ranges < 256; ranges++) {
      view.setUint8(ACK_SIZE - 1, ranges);
      expect(new Ack().read(view, 0, view.byteLength)).toBe(-1);
    }
  });

  test("writes numbers modulo 2^32, -1 as all ones, and a long delay as the longest", () => {
    const view = new DataView(new ArrayBuffer(ACK_SIZE));
    ackWith({ ack: -1, largest: 2 ** 32 + 5, delay: 2 ** 30, packets: 2 ** 33 + 1 }).write(view, 0);
    const read = new Ack();
    read.read(view, 0, ACK_SIZE);
    expect([read.ack, read.largest, read.delay, read.packets]).toEqual([0xffffffff, 5, 0xffffff, 1]);
  });
});
