import { describe, expect, test } from "bun:test";
import { DROP } from "../../src/drops.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import type { PathKeys } from "../../src/security/path-keys.ts";
import type { Security } from "../../src/security/security.ts";
import { Blake2sSuite, NoSecuritySuite } from "../../src/security/suite.ts";
import { counting } from "../support/bytes.ts";
import { contentOf, sealSlot, slotWith } from "../support/slots.ts";

const KEY_A = counting(32, 1);
const KEY_B = counting(32, 100);

function keys(send: Uint8Array, receive: Uint8Array, peerRun: string): PathKeys {
  return { send, receive, sendIndex: 1, receiveIndex: 2, peerRun };
}

describe("Blake2sSuite", () => {
  test("refuses on one path what came on another path of the same run", () => {
    const pool = new PacketPool(4, 200);
    const sender = new Blake2sSuite();
    const receiver = new Blake2sSuite();
    const from = sender.create(keys(KEY_A, KEY_B, "peer"));
    const first = receiver.create(keys(KEY_B, KEY_A, "run"));
    const second = receiver.create(keys(KEY_B, KEY_A, "run"));
    const slot = slotWith(pool, counting(50));
    sealSlot(from, pool, slot);
    const copy = slotWith(pool, contentOf(pool, slot));
    expect(first.open(pool, slot, 0)).toBe(0);
    expect(second.open(pool, copy, 0)).toBe(DROP["datagram-replayed"]);
  });

  test("counts one sequence over all its paths", () => {
    const pool = new PacketPool(8, 200);
    const suite = new Blake2sSuite();
    const paths = [suite.create(keys(KEY_A, KEY_B, "x")), suite.create(keys(KEY_B, KEY_A, "x"))];
    const sequences = [0, 1, 0, 0, 1].map((path) => {
      const slot = slotWith(pool, counting(8));
      sealSlot(paths[path] as Security, pool, slot);
      return new DataView(contentOf(pool, slot).buffer).getBigUint64(8);
    });
    expect(sequences).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  test("a forged datagram does not use up its sequence", () => {
    const pool = new PacketPool(4, 200);
    const from = new Blake2sSuite().create(keys(KEY_A, KEY_B, "peer"));
    const to = new Blake2sSuite().create(keys(KEY_B, KEY_A, "run"));
    const slot = slotWith(pool, counting(50));
    sealSlot(from, pool, slot);
    const forged = contentOf(pool, slot);
    forged[3] = 0;
    expect(to.open(pool, slotWith(pool, forged), 0)).toBe(DROP["datagram-forged"]);
    expect(to.open(pool, slot, 0)).toBe(0);
  });

  test("names what exchanges must agree on", () => {
    expect([new Blake2sSuite().id, new Blake2sSuite().overhead]).toEqual([1, 24]);
    expect([new NoSecuritySuite().id, new NoSecuritySuite().overhead]).toEqual([0, 0]);
  });
});
