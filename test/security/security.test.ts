import { describe, expect, test } from "bun:test";
import { DROP } from "../../src/drops.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { type MacGenerator, type MacVerifier, SecurityChain } from "../../src/security/security.ts";
import { counting } from "../support/bytes.ts";
import { contentOf, sealSlot, slotWith } from "../support/slots.ts";

/** Appends a mark and the length of what came before, `size` bytes together, and tells of every call. */
class Marker implements MacGenerator, MacVerifier {
  readonly size: number;
  readonly mark: number;
  readonly calls: string[];
  reason = 0;

  constructor(mark: number, size: number, calls: string[]) {
    this.mark = mark;
    this.size = size;
    this.calls = calls;
  }

  generate(bytes: Uint8Array, _view: DataView, start: number, end: number): void {
    this.calls.push(`generate ${this.mark}`);
    bytes.fill(this.mark, end, end + this.size);
    bytes[end] = end - start;
  }

  verify(bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    this.calls.push(`verify ${this.mark} over ${end - start}`);
    expect(bytes[end]).toBe(end - start);
    return this.reason;
  }

  wipe(): void {
    this.calls.push(`wipe ${this.mark}`);
  }
}

function chainOf(sizes: readonly number[]) {
  const calls: string[] = [];
  const markers = sizes.map((size, i) => new Marker(101 + i, size, calls));
  return { calls, markers, chain: new SecurityChain(markers, markers), pool: new PacketPool(4, 200) };
}

describe("SecurityChain", () => {
  test("appends footers in order, each over everything before it", () => {
    const { calls, chain, pool } = chainOf([2, 3, 1]);
    const slot = slotWith(pool, counting(10));
    sealSlot(chain, pool, slot);
    expect(calls).toEqual(["generate 101", "generate 102", "generate 103"]);
    expect([...contentOf(pool, slot)]).toEqual([...counting(10), 10, 101, 12, 102, 102, 15]);
    expect(chain.overhead).toBe(6);
  });

  test("checks and strips them in reverse", () => {
    const { calls, chain, pool } = chainOf([2, 3, 1]);
    const slot = slotWith(pool, counting(10));
    sealSlot(chain, pool, slot);
    calls.length = 0;
    expect(chain.open(pool, slot, 0)).toBe(0);
    expect(calls).toEqual(["verify 103 over 15", "verify 102 over 12", "verify 101 over 10"]);
    expect(contentOf(pool, slot)).toEqual(counting(10));
  });

  test("asks no inner verifier once an outer one has refused, and leaves the datagram as it was", () => {
    const { calls, markers, chain, pool } = chainOf([2, 3, 1]);
    const slot = slotWith(pool, counting(10));
    sealSlot(chain, pool, slot);
    const sealed = contentOf(pool, slot);
    calls.length = 0;
    (markers[1] as Marker).reason = 7;
    expect(chain.open(pool, slot, 0)).toBe(7);
    expect(calls).toEqual(["verify 103 over 15", "verify 102 over 12"]);
    expect(contentOf(pool, slot)).toEqual(sealed);
  });

  test("refuses what is shorter than its footers without asking anybody", () => {
    const { calls, chain, pool } = chainOf([2, 3, 1]);
    for (let length = 0; length < 14; length++) {
      const slot = slotWith(pool, counting(length));
      expect(chain.open(pool, slot, 0)).toBe(DROP["datagram-truncated"]);
      pool.release(slot);
    }
    expect(calls).toEqual([]);
  });
});
