import { describe, expect, test } from "bun:test";
import { HEADROOM, NO_SLOT, PacketPool, TAILROOM } from "../../src/memory/packet-pool.ts";
import { DATA_SIZE } from "../../src/wire/data.ts";
import { HEADER_SIZE } from "../../src/wire/datagram.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

/** Takes, retains or releases one of the owned slots; `owned` holds a slot once for each owner. */
function step(random: SeededRandom, pool: PacketPool, owned: number[]): void {
  const kind = random.below(3);
  const any = random.below(owned.length);
  if (kind === 0) {
    const slot = pool.take();
    expect(slot === NO_SLOT).toBe(new Set(owned).size === pool.count);
    if (slot !== NO_SLOT) owned.push(slot);
  } else if (owned.length > 0 && kind === 1) {
    pool.retain(owned[any] as number);
    owned.push(owned[any] as number);
  } else if (owned.length > 0) pool.release(owned.splice(any, 1)[0] as number);
}

describe("PacketPool", () => {
  test("hands out every slot once, then none", () => {
    const pool = new PacketPool(5, 100);
    const slots = Array.from({ length: 5 }, () => pool.take());
    expect(slots.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect([pool.take(), pool.free]).toEqual([NO_SLOT, 0]);
  });

  test("throws on a release too many and on retaining a free slot", () => {
    const pool = new PacketPool(2, 100);
    const slot = pool.take();
    pool.release(slot);
    expect(() => pool.release(slot)).toThrow("owned");
    expect(() => pool.retain(slot)).toThrow("owned");
    expect(pool.free).toBe(2);
  });

  test("keeps a slot until its last owner lets go", () => {
    const pool = new PacketPool(1, 100);
    const slot = pool.take();
    for (let i = 1; i < 255; i++) pool.retain(slot);
    expect(() => pool.retain(slot)).toThrow();
    for (let owners = 255; owners > 0; owners--) {
      expect([pool.owners(slot), pool.free]).toEqual([owners, 0]);
      pool.release(slot);
    }
    expect([pool.owners(slot), pool.free]).toEqual([0, 1]);
  });

  test("gives a slot anew with its start at the origin, and no length or flags", () => {
    const pool = new PacketPool(1, 100);
    const slot = pool.take();
    pool.start[slot] = 3;
    pool.length[slot] = 9;
    pool.flags[slot] = 255;
    pool.release(slot);
    pool.take();
    expect([pool.start[slot], pool.length[slot], pool.flags[slot]]).toEqual([pool.origin(slot), 0, 0]);
  });

  test("leaves head- and tailroom in every slot, and no slot reaches into the next", () => {
    for (const capacity of [1, 100, 1500, 1900, 9000]) {
      const pool = new PacketPool(3, capacity);
      expect(pool.capacity).toBeGreaterThanOrEqual(capacity);
      for (let slot = 0; slot < 3; slot++) {
        expect(pool.origin(slot) - slot * pool.slotSize).toBe(HEADROOM);
        expect(pool.origin(slot) + pool.capacity + TAILROOM).toBeLessThanOrEqual((slot + 1) * pool.slotSize);
      }
      expect(pool.memory.byteLength).toBe(3 * pool.slotSize);
    }
  });

  test("puts the packet in a received datagram at the origin, and both kinds of datagram on a multiple of 16", () => {
    const pool = new PacketPool(3, 1500);
    for (let slot = 0; slot < 3; slot++) {
      expect(pool.datagramOrigin(slot) + HEADER_SIZE + DATA_SIZE).toBe(pool.origin(slot));
      expect(pool.datagramOrigin(slot) % 16).toBe(0);
    }
  });

  test("agrees with a count of owners over random steps", () => {
    seeded((random) => {
      const pool = new PacketPool(20, 10);
      const owned: number[] = [];
      for (let i = 0; i < 5_000; i++) {
        step(random, pool, owned);
        expect(pool.free).toBe(20 - new Set(owned).size);
      }
    })();
  });
});
