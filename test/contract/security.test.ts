/** The contract of every security. A new one is a line in the table. */
import { describe, expect, test } from "bun:test";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { DROP_REASONS } from "../../src/drops.ts";
import { PacketPool, TAILROOM } from "../../src/memory/packet-pool.ts";
import type { CipherName } from "../../src/ports.ts";
import { AUTO_SUITES } from "../../src/security/offer.ts";
import type { PathKeys } from "../../src/security/path-keys.ts";
import { PORTABLE_CIPHERS } from "../../src/security/portable-ciphers.ts";
import type { Security } from "../../src/security/security.ts";
import {
  Blake2sSuite,
  NoSecuritySuite,
  SealedSuite,
  type SecuritySuite,
  type SuiteName,
} from "../../src/security/suite.ts";
import { HEADER_SIZE } from "../../src/wire/datagram.ts";
import { counting, flipBit } from "../support/bytes.ts";
import { randomBytes, seeded } from "../support/seed.ts";
import { contentOf, sealElsewhere, sealSlot, slotWith } from "../support/slots.ts";

interface Traits {
  readonly name: SuiteName;
  readonly create: () => SecuritySuite;
  readonly isProtecting: boolean;
  /** True for suites that hide what they carry; that one packet number opens once only is then the path's doing. */
  readonly isSealing: boolean;
}

const libcrypto = openLibcrypto();
const sealed = (name: CipherName, ciphers = PORTABLE_CIPHERS): Traits => ({
  name,
  create: () => new SealedSuite(name, ciphers),
  isProtecting: true,
  isSealing: true,
});

const SUITES: Readonly<Record<string, Traits>> = {
  none: { name: "none", create: () => new NoSecuritySuite(), isProtecting: false, isSealing: false },
  blake2s: { name: "blake2s", create: () => new Blake2sSuite(), isProtecting: true, isSealing: false },
  "aes-256-gcm of the runtime": sealed("aes-256-gcm"),
  "chacha20-poly1305 in JavaScript": sealed("chacha20-poly1305"),
  ...(libcrypto && {
    "aes-256-gcm of libcrypto": sealed("aes-256-gcm", libcrypto),
    "chacha20-poly1305 of libcrypto": sealed("chacha20-poly1305", libcrypto),
  }),
};

const A_TO_B = { key: counting(32, 1), index: 0x0a0b0c };
const B_TO_A = { key: counting(32, 99), index: 0x010203 };

function keysOf(send: typeof A_TO_B, receive: typeof A_TO_B, peerRun: string): PathKeys {
  return { send: send.key, receive: receive.key, sendIndex: send.index, receiveIndex: receive.index, peerRun };
}

function pairOf(create: () => SecuritySuite) {
  return {
    a: create().create(keysOf(A_TO_B, B_TO_A, "b")),
    b: create().create(keysOf(B_TO_A, A_TO_B, "a")),
    pool: new PacketPool(4, 2000),
  };
}

describe.each(Object.entries(SUITES))("security %s", (_title, { name, create, isProtecting, isSealing }) => {
  test("goes by its name and fits behind a packet", () => {
    expect(create().name).toBe(name);
    expect(create().overhead).toBe(pairOf(create).a.overhead);
    expect(create().overhead).toBeLessThanOrEqual(TAILROOM);
  });

  test("grows a datagram by its overhead and gives back what was sealed, at every length, in place or elsewhere", () => {
    seeded((random) => {
      const { a, b, pool } = pairOf(create);
      for (const [number, length] of [8, 9, 15, 16, 17, 23, 24, 71, 72, 73, 100, 1400, 1999, 2000].entries()) {
        const content = randomBytes(random, length);
        const slot = slotWith(pool, content);
        const sealed = sealElsewhere(a, pool, slot, 2 * number);
        expect(contentOf(pool, slot)).toEqual(content);
        sealSlot(a, pool, slot, 2 * number + 1);
        for (const [i, datagram] of [sealed, slot].entries()) {
          expect(pool.length[datagram]).toBe(length + a.overhead);
          expect(b.open(pool, datagram, 2 * number + i)).toBe(0);
          expect(contentOf(pool, datagram)).toEqual(content);
          pool.release(datagram);
        }
      }
    })();
  });

  test.if(isSealing)("shows the header and nothing else", () => {
    const { a, pool } = pairOf(create);
    const slot = slotWith(pool, new Uint8Array(1400));
    sealSlot(a, pool, slot);
    const sealed = contentOf(pool, slot);
    expect(sealed.subarray(0, HEADER_SIZE)).toEqual(new Uint8Array(HEADER_SIZE));
    const values = new Set(sealed.subarray(HEADER_SIZE));
    expect(values.size).toBeGreaterThan(240);
  });

  test("opens datagrams in another order, and not those that never came", () => {
    const { a, b, pool } = pairOf(create);
    const sealed = [1, 2, 3, 4].map((first) => {
      const slot = slotWith(pool, counting(40, first));
      sealSlot(a, pool, slot, first);
      return slot;
    });
    for (const i of [3, 0, 1]) expect(b.open(pool, sealed[i] as number, i + 1)).toBe(0);
  });

  test.if(isSealing)("opens nothing under another packet number, whatever 32 bits of it travel", () => {
    const { a, b, pool } = pairOf(create);
    for (const number of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5]) {
      const slot = slotWith(pool, counting(60));
      sealSlot(a, pool, slot, number);
      for (const other of [number + 1, number + 2 ** 32]) {
        expect(DROP_REASONS[b.open(pool, slot, other)]).toBe("datagram-forged");
      }
      expect(b.open(pool, slot, number)).toBe(0);
      pool.release(slot);
    }
  });

  test("leaves other slots and what is in front of the datagram alone", () => {
    const { a, pool } = pairOf(create);
    pool.bytes.fill(0xaa);
    const slot = slotWith(pool, counting(100));
    const start = pool.start[slot] as number;
    sealSlot(a, pool, slot);
    const end = start + (pool.length[slot] as number);
    expect(pool.bytes.subarray(0, start).every((byte) => byte === 0xaa)).toBe(true);
    expect(pool.bytes.subarray(end).every((byte) => byte === 0xaa)).toBe(true);
  });

  test("refuses with a known reason and without a change whatever is too short", () => {
    const { b, pool } = pairOf(create);
    for (let length = 0; length < HEADER_SIZE + create().overhead; length++) {
      const slot = slotWith(pool, counting(length));
      expect(DROP_REASONS[b.open(pool, slot, 0)]).toBe("datagram-truncated");
      expect(pool.length[slot]).toBe(length);
      pool.release(slot);
    }
  });

  test.if(isProtecting)(
    "refuses every flipped bit, other keys, and its own datagrams, and changes nothing then",
    () => {
      const { a, b, pool } = pairOf(create);
      const slot = slotWith(pool, counting(60));
      sealSlot(a, pool, slot, 7);
      const sealed = contentOf(pool, slot);
      const opens = (bytes: Uint8Array<ArrayBuffer>, security = b) => {
        const copy = slotWith(pool, bytes);
        const reason = security.open(pool, copy, 7);
        if (reason !== 0) expect(contentOf(pool, copy)).toEqual(bytes);
        pool.release(copy);
        return reason === 0;
      };
      for (let bit = 0; bit < 8 * sealed.length; bit++) expect(opens(flipBit(sealed, bit))).toBe(false);
      expect(opens(sealed, create().create(keysOf(B_TO_A, B_TO_A, "a")))).toBe(false);
      expect(opens(sealed, a)).toBe(false);
      expect(opens(sealed)).toBe(true);
      // What the chain remembers itself, the path remembers for the sealing suites.
      expect(opens(sealed)).toBe(isSealing);
    },
  );
});

test.each(AUTO_SUITES)("%s is the same whoever makes it", (name) => {
  seeded((random) => {
    if (!libcrypto) return;
    const pool = new PacketPool(4, 2000);
    const keys = keysOf(A_TO_B, A_TO_B, "");
    const [own, other] = [PORTABLE_CIPHERS, libcrypto].map((ciphers) =>
      new SealedSuite(name, ciphers).create(keys),
    ) as [Security, Security];
    for (const length of [8, 9, 40, 1400, 2000]) {
      const content = randomBytes(random, length);
      const [first, second] = [own, other].map((security) => {
        const slot = slotWith(pool, content);
        sealSlot(security, pool, slot, length);
        return slot;
      }) as [number, number];
      expect(contentOf(pool, first)).toEqual(contentOf(pool, second));
      expect([other.open(pool, first, length), own.open(pool, second, length)]).toEqual([0, 0]);
      for (const slot of [first, second]) pool.release(slot);
    }
  })();
});
