import { describe, expect, test } from "bun:test";
import { FREEBSD } from "../../ffi/freebsd/constants.ts";
import type { Layout } from "../../ffi/layout.ts";
import { LINUX } from "../../ffi/linux/constants.ts";
import { MessageArray } from "../../ffi/message.ts";
import { isLinkLocal6, isUnspecified, readSockaddr, SOCKADDR_ROOM, writeSockaddr } from "../../ffi/sockaddr.ts";
import { createEndpoint, formatEndpoint, setPort } from "../../src/endpoint.ts";
import { SeededRandom } from "../support/random.ts";
import { at, NONE, SEED } from "./network.ts";

function written(layout: Layout, endpoint: Uint8Array, family: 4 | 6): string {
  const bytes = new Uint8Array(SOCKADDR_ROOM).fill(0xee);
  return bytes.subarray(0, writeSockaddr(layout, bytes, 0, endpoint, family)).toHex();
}

describe("sockaddr", () => {
  const cases: [string, Layout, string, number, 4 | 6, string][] = [
    ["IPv4 on Linux", LINUX, "192.0.2.7", 4725, 4, "02001275c00002070000000000000000"],
    ["IPv4 on FreeBSD", FREEBSD, "192.0.2.7", 4725, 4, "10021275c00002070000000000000000"],
    ["IPv6 on Linux", LINUX, "2001:db8::7", 4725, 6, "0a0012750000000020010db800000000000000000000000700000000"],
    ["IPv6 on FreeBSD", FREEBSD, "2001:db8::7", 4725, 6, "1c1c12750000000020010db800000000000000000000000700000000"],
    ["a scope on Linux", LINUX, "fe80::1%258", 1, 6, "0a00000100000000fe80000000000000000000000000000102010000"],
    ["mapped IPv4 on Linux", LINUX, "10.0.0.1", 80, 6, "0a0000500000000000000000000000000000ffff0a00000100000000"],
    ["mapped IPv4 on FreeBSD", FREEBSD, "10.0.0.1", 80, 6, "1c1c00500000000000000000000000000000ffff0a00000100000000"],
  ];
  for (const [what, layout, address, port, family, bytes] of cases) {
    test(`writes and reads ${what}`, () => {
      const endpoint = at(address, port);
      expect(written(layout, endpoint, family)).toBe(bytes);
      const back = at("1.2.3.4", 5);
      readSockaddr(layout, Uint8Array.fromHex(bytes), 0, back);
      expect(formatEndpoint(back)).toBe(formatEndpoint(endpoint));
    });
  }

  test("writes the unspecified address with its port for family 0", () => {
    const endpoint = createEndpoint();
    setPort(endpoint, 4725);
    expect(written(LINUX, endpoint, 4)).toBe(`02001275${"00".repeat(12)}`);
    expect(written(FREEBSD, endpoint, 6)).toBe(`1c1c1275${"00".repeat(24)}`);
  });

  test("refuses IPv6 for an IPv4 socket", () => {
    expect(written(LINUX, at("::1", 1), 4)).toBe("");
  });

  test("reads another family as none", () => {
    const back = at("1.2.3.4", 5);
    readSockaddr(LINUX, Uint8Array.fromHex("01002f746d702f78".padEnd(64, "0")), 0, back);
    expect(formatEndpoint(back)).toBe("none");
  });

  test("knows unspecified and link-local addresses", () => {
    expect([NONE, at("0.0.0.0", 7), at("::", 7), at("0.0.0.1"), at("::1")].map(isUnspecified)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    const local = ["fe80::1", "febf::1", "fec0::1", "fe00::1", "10.254.128.1"];
    expect(local.map((text) => isLinkLocal6(at(text)))).toEqual([true, true, false, false, false]);
  });
});

describe("MessageArray", () => {
  for (const layout of [LINUX, FREEBSD]) {
    const shape = { count: 2, vectors: 2, control: 128, isShared: false };

    test(`finds the control messages it appended (${layout.name})`, () => {
      const messages = new MessageArray(layout, shape);
      messages.setControlLength(1, 0);
      const first = messages.appendControl(1, 17, 103, 2);
      const second = messages.appendControl(1, 41, 50, 20);
      expect(messages.findControl(1, 17, 103, 2)).toBe(first);
      expect(messages.findControl(1, 41, 50, 20)).toBe(second);
      expect(messages.findControl(1, 41, 51, 20)).toBe(-1);
      expect(messages.findControl(1, 17, 103, 4)).toBe(-1);
      expect(messages.findControl(0, 17, 103, 2)).toBe(-1);
      expect(messages.controlLength(1)).toBe(24 + 40);
    });

    test(`ends its search in any control buffer within it (${layout.name})`, () => {
      const messages = new MessageArray(layout, shape);
      const random = new SeededRandom(SEED);
      for (let round = 0; round < 2000; round++) {
        const from = messages.controlAt(0);
        for (let i = 0; i < 128; i++) messages.bytes[from + i] = random.chance(0.7) ? 0 : random.below(48);
        messages.setControlLength(0, random.below(129));
        const found = messages.findControl(0, random.below(3), random.below(3), 4);
        const isWithin = found === -1 || (found >= from + 16 && found + 4 <= from + messages.controlLength(0));
        expect({ seed: SEED, round, isWithin }).toEqual({ seed: SEED, round, isWithin: true });
      }
    });
  }
});
