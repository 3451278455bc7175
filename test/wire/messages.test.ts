import { describe, expect, test } from "bun:test";
import {
  ACK_SIZE,
  Ack,
  BUCKET_MASK,
  DATA_FLAG,
  dataBucket,
  dataClass,
  dataSequence,
  FRAGMENT_SIZE,
  Fragment,
  linkLimit,
  MAX_FRAGMENTS,
  MAX_RANGES,
  SEQUENCE_MASK,
  writeData,
  writeLink,
} from "../../src/wire/messages.ts";
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

describe("writeLink", () => {
  test("writes the known bytes, never more than the limit, and reads them back", () => {
    const cases: readonly (readonly [boolean, number, string, number])[] = [
      [false, Number.POSITIVE_INFINITY, "90000000", Number.POSITIVE_INFINITY],
      [true, Number.POSITIVE_INFINITY, "91000000", Number.POSITIVE_INFINITY],
      [false, 625_000, "90001388", 625_000],
      [true, 625_124, "91001388", 625_000],
      [false, 1, "90000001", 125],
      [false, 1e12, "90ffffff", 0xffffff * 125],
    ];
    for (const [isMetered, limit, bytes, read] of cases) {
      const view = new DataView(new ArrayBuffer(4));
      writeLink(view, 0, isMetered, limit);
      expect([new Uint8Array(view.buffer).toHex(), linkLimit(view, 0)]).toEqual([bytes, read]);
    }
  });
});

describe("writeData", () => {
  test("writes the known bytes", () => {
    const bytes = new Uint8Array(8).fill(0xee);
    writeData(new DataView(bytes.buffer), 1, DATA_FLAG.CHECKSUM_PARTIAL | DATA_FLAG.LENGTH, 0x0abc, 5, 0x123456);
    expect(bytes.toHex()).toBe("ee15aabc123456ee");
  });

  test("reads back every bucket, class and sequence", () => {
    const view = new DataView(new ArrayBuffer(6));
    seeded((random) => {
      for (let i = 0; i < 2_000; i++) {
        const [bucket, deliveryClass, sequence] = [
          random.below(BUCKET_MASK + 1),
          random.below(8),
          random.below(2 ** 24),
        ];
        writeData(view, 0, 0, bucket, deliveryClass, sequence);
        expect([dataBucket(view, 0), dataClass(view, 0), dataSequence(view, 0)]).toEqual([
          bucket,
          deliveryClass,
          sequence,
        ]);
      }
    })();
    writeData(view, 0, 15, BUCKET_MASK, 7, SEQUENCE_MASK);
    expect(new Uint8Array(view.buffer).toHex()).toBe("1fffffffffff");
  });
});

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

describe("Fragment", () => {
  test("writes the known bytes", () => {
    const bytes = new Uint8Array(11).fill(0xee);
    const facts = { flags: DATA_FLAG.CHECKSUM_PARTIAL, bucket: 0x0abc, class: 5, sequence: 0x123456 };
    const fragment = Object.assign(new Fragment(), facts);
    fragment.place(1, 3, 1_400);
    fragment.write(new DataView(bytes.buffer), 1);
    expect(bytes.toHex()).toBe("ee71aabc123456120578ee");
  });

  test("places parts so that they cover the packet once", () => {
    const fragment = new Fragment();
    for (const length of [1, 15, 16, 17, 1_400, 65_535]) {
      for (let parts = 1; parts <= Math.min(length, MAX_FRAGMENTS); parts++) {
        let at = 0;
        for (let part = 0; part < parts; part++) {
          fragment.place(part, parts, length);
          expect(fragment.offset).toBe(at);
          expect(fragment.size).toBeWithin(Math.floor(length / parts), Math.ceil(length / parts) + 1);
          at += fragment.size;
        }
        expect(at).toBe(length);
      }
    }
  });

  test("reads back what it wrote, and nothing that does not fit its place", () => {
    const view = new DataView(new ArrayBuffer(FRAGMENT_SIZE + 700));
    const out = Object.assign(new Fragment(), { flags: 2, bucket: 77, class: 1, sequence: 99 });
    out.place(1, 2, 1_399);
    out.write(view, 0);
    const back = new Fragment();
    expect(back.read(view, 0, FRAGMENT_SIZE + 699)).toBe(true);
    expect(back).toEqual(out);
    for (const end of [0, 1, FRAGMENT_SIZE - 1, FRAGMENT_SIZE, FRAGMENT_SIZE + 698, FRAGMENT_SIZE + 700]) {
      expect(back.read(view, 0, end)).toBe(false);
    }
    for (const places of [0x20, 0x21, 0xf0]) {
      view.setUint8(6, places);
      expect(back.read(view, 0, FRAGMENT_SIZE + 699)).toBe(false);
    }
  });
});
