import { describe, expect, test } from "bun:test";
import { PacketBatch } from "../../src/memory/packet-batch.ts";

function batchOf(slots: readonly number[]): PacketBatch {
  const batch = new PacketBatch(8);
  for (const slot of slots) batch.push(slot);
  return batch;
}

const slotsOf = (batch: PacketBatch) => Array.from({ length: batch.count }, (_, i) => batch.at(i));

describe("PacketBatch", () => {
  test("keeps the order of its slots up to its capacity", () => {
    const batch = batchOf([3, 1, 2, 9, 8, 7, 6]);
    expect(batch.isFull).toBe(false);
    batch.push(5);
    expect(batch.isFull).toBe(true);
    expect(slotsOf(batch)).toEqual([3, 1, 2, 9, 8, 7, 6, 5]);
  });

  test("gives up its first slots and keeps the rest in order", () => {
    for (let n = 0; n <= 5; n++) {
      const batch = batchOf([10, 11, 12, 13, 14]);
      batch.shift(n);
      expect(slotsOf(batch)).toEqual([10, 11, 12, 13, 14].slice(n));
    }
  });

  test("is empty after clear and usable again", () => {
    const batch = batchOf([1, 2]);
    batch.clear();
    expect(batch.count).toBe(0);
    batch.push(4);
    expect(slotsOf(batch)).toEqual([4]);
  });
});
