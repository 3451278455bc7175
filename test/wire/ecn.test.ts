import { describe, expect, test } from "bun:test";
import { markCongestion } from "../../src/wire/ecn.ts";
import { ipv4, ipv6, ports } from "../support/packets/build.ts";
import { naiveSum } from "../support/packets/checksums.ts";

const DSCP = 0xb8;

describe("markCongestion", () => {
  test("marks IPv4 that takes marks, leaves DSCP alone and the header's checksum right", () => {
    for (const ecn of [1, 2]) {
      for (let id = 0; id < 300; id++) {
        const packet = ipv4(17, ports(id * 211, 6), { tos: DSCP | ecn, fragment: 0x4000 });
        const before = packet.slice();
        expect(markCongestion(new DataView(packet.buffer), 0)).toBe(true);
        expect(packet[1]).toBe(DSCP | 3);
        expect(naiveSum(packet.slice(0, 20))).toBe(0xffff);
        packet.set(before.subarray(1, 2), 1);
        packet.set(before.subarray(10, 12), 10);
        expect(packet).toEqual(before);
      }
    }
  });

  test("keeps the checksum right where its sum wraps", () => {
    // The sum with its end-around carry is at its largest when the field is 0.
    for (let word = 0; word < 0x10000; word += 7) {
      const packet = ipv4(17, ports(1, 2), { tos: 1 });
      new DataView(packet.buffer).setUint16(4, word);
      packet.set([0, 0], 10);
      new DataView(packet.buffer).setUint16(10, ~naiveSum(packet.slice(0, 20)) & 0xffff);
      markCongestion(new DataView(packet.buffer), 0);
      expect(naiveSum(packet.slice(0, 20))).toBe(0xffff);
    }
  });

  test("marks IPv6 and changes nothing else", () => {
    for (const ecn of [1, 2]) {
      const packet = ipv6(17, ports(5, 6), DSCP | ecn);
      new DataView(packet.buffer).setUint32(0, new DataView(packet.buffer).getUint32(0) | 0xabcde);
      expect(markCongestion(new DataView(packet.buffer), 0)).toBe(true);
      expect(new DataView(packet.buffer).getUint32(0)).toBe(0x6000_0000 + (DSCP | 3) * 0x10_0000 + 0xabcde);
    }
  });

  test("leaves alone what takes no marks, and what has one", () => {
    for (const packet of [ipv4(17, ports(5, 6), { tos: DSCP }), ipv6(17, ports(5, 6), DSCP)]) {
      const before = packet.slice();
      expect(markCongestion(new DataView(packet.buffer), 0)).toBe(false);
      expect(packet).toEqual(before);
    }
    for (const packet of [ipv4(17, ports(5, 6), { tos: 3 }), ipv6(17, ports(5, 6), 3)]) {
      const before = packet.slice();
      expect(markCongestion(new DataView(packet.buffer), 0)).toBe(true);
      expect(packet).toEqual(before);
    }
  });
});
