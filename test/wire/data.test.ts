import { describe, expect, test } from "bun:test";
import {
  BUCKET_MASK,
  bucketOf,
  classOf,
  DATA_FLAG,
  flagsOf,
  SEQUENCE_MASK,
  sequenceOf,
  writeData,
} from "../../src/wire/data.ts";
import { seeded } from "../support/seed.ts";

describe("writeData", () => {
  test("writes the known bytes", () => {
    const bytes = new Uint8Array(8).fill(0xee);
    writeData(new DataView(bytes.buffer), 1, DATA_FLAG.CHECKSUM_PARTIAL | DATA_FLAG.REDUNDANT, 0x0abc, 5, 0x123456);
    expect(bytes.toHex()).toBe("ee13aabc123456ee");
    expect(flagsOf(new DataView(bytes.buffer), 1)).toBe(DATA_FLAG.CHECKSUM_PARTIAL | DATA_FLAG.REDUNDANT);
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
        expect([bucketOf(view, 0), classOf(view, 0), sequenceOf(view, 0)]).toEqual([bucket, deliveryClass, sequence]);
      }
    })();
    writeData(view, 0, 15, BUCKET_MASK, 7, SEQUENCE_MASK);
    expect(new Uint8Array(view.buffer).toHex()).toBe("1fffffffffff");
  });
});
