/** What every security keeps to. A new one is a line in the table. */
import { describe, expect, test } from "bun:test";
import { DROP_REASONS } from "../../src/drops.ts";
import { PacketPool, TAILROOM } from "../../src/memory/packet-pool.ts";
import { Blake2sSuite, NoSecuritySuite, type SecuritySuite } from "../../src/security/suite.ts";
import { counting, flipBit } from "../support/bytes.ts";
import { randomBytes, seeded } from "../support/seed.ts";
import { contentOf, slotWith } from "../support/slots.ts";

const SUITES: Readonly<Record<string, { create: () => SecuritySuite; isProtecting: boolean }>> = {
  none: { create: () => new NoSecuritySuite(), isProtecting: false },
  blake2s: { create: () => new Blake2sSuite(), isProtecting: true },
};

const [KEY_A, KEY_B] = [counting(32, 1), counting(32, 99)];

function pairOf(create: () => SecuritySuite) {
  return {
    a: create().create(KEY_A, KEY_B, "b"),
    b: create().create(KEY_B, KEY_A, "a"),
    pool: new PacketPool(4, 2000),
  };
}

describe.each(Object.entries(SUITES))("security %s", (name, { create, isProtecting }) => {
  test("goes by its name and fits behind a packet", () => {
    expect(create().name).toBe(name);
    expect(create().overhead).toBe(create().create(KEY_A, KEY_B, "").overhead);
    expect(create().overhead).toBeLessThanOrEqual(TAILROOM);
  });

  test("grows a datagram by its overhead and gives back what was sealed, at every length", () => {
    seeded((random) => {
      const { a, b, pool } = pairOf(create);
      for (const length of [0, 1, 7, 8, 15, 16, 17, 63, 64, 65, 100, 1400, 1999, 2000]) {
        const content = randomBytes(random, length);
        const slot = slotWith(pool, content);
        a.seal(pool, slot);
        expect(pool.length[slot]).toBe(length + a.overhead);
        expect(b.open(pool, slot)).toBe(0);
        expect(contentOf(pool, slot)).toEqual(content);
        pool.release(slot);
      }
    })();
  });

  test("opens datagrams in another order, and not those that never came", () => {
    const { a, b, pool } = pairOf(create);
    const sealed = [1, 2, 3, 4].map((first) => {
      const slot = slotWith(pool, counting(40, first));
      a.seal(pool, slot);
      return slot;
    });
    for (const i of [3, 0, 1]) expect(b.open(pool, sealed[i] as number)).toBe(0);
  });

  test("leaves other slots and what is in front of the datagram alone", () => {
    const { a, pool } = pairOf(create);
    pool.bytes.fill(0xaa);
    const slot = slotWith(pool, counting(100));
    const start = pool.start[slot] as number;
    a.seal(pool, slot);
    const end = start + (pool.length[slot] as number);
    expect(pool.bytes.subarray(0, start).every((byte) => byte === 0xaa)).toBe(true);
    expect(pool.bytes.subarray(end).every((byte) => byte === 0xaa)).toBe(true);
  });

  test("refuses with a known reason and without a change whatever is too short", () => {
    const { b, pool } = pairOf(create);
    for (let length = 0; length < create().overhead; length++) {
      const slot = slotWith(pool, counting(length));
      expect(DROP_REASONS[b.open(pool, slot)]).toBe("datagram-truncated");
      expect(pool.length[slot]).toBe(length);
      pool.release(slot);
    }
  });

  test.if(isProtecting)("refuses every flipped bit, a repeat, and another key, and changes nothing then", () => {
    const { a, b, pool } = pairOf(create);
    const slot = slotWith(pool, counting(60));
    a.seal(pool, slot);
    const sealed = contentOf(pool, slot);
    const opens = (bytes: Uint8Array<ArrayBuffer>, security = b) => {
      const copy = slotWith(pool, bytes);
      const reason = security.open(pool, copy);
      if (reason !== 0) expect(contentOf(pool, copy)).toEqual(bytes);
      pool.release(copy);
      return reason === 0;
    };
    for (let bit = 0; bit < 8 * sealed.length; bit++) expect(opens(flipBit(sealed, bit))).toBe(false);
    expect(opens(sealed, create().create(KEY_B, KEY_B, "a"))).toBe(false);
    expect([opens(sealed), opens(sealed)]).toEqual([true, false]);
  });
});
