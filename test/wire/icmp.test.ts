import { describe, expect, test } from "bun:test";
import { PACKET_FLAG, PacketPool } from "../../src/memory/packet-pool.ts";
import { turnIntoTooBig } from "../../src/wire/icmp.ts";
import { counting } from "../support/bytes.ts";
import { ipv4, ipv6, join } from "../support/packets/build.ts";
import { isIcmpv6Right, naiveSum } from "../support/packets/checksums.ts";
import { contentOf, slotWith } from "../support/slots.ts";

const pool = new PacketPool(2, 2000);

/** The answer to `packet`, undefined where there is none. */
function answerTo(packet: Uint8Array, mtu = 1400): Uint8Array<ArrayBuffer> | undefined {
  const slot = slotWith(pool, packet);
  pool.flags[slot] = PACKET_FLAG.CHECKSUM_PARTIAL;
  const isMade = turnIntoTooBig(pool, slot, mtu);
  const content = contentOf(pool, slot);
  if (isMade) expect(pool.flags[slot]).toBe(0);
  pool.release(slot);
  return isMade ? content : undefined;
}

const icmp = (type: number) => counting(1600, 1).with(0, type);

describe("turnIntoTooBig for IPv4", () => {
  test.each([1481, 1500, 1501])("answers a packet of %d bytes with the known header and a quote", (length) => {
    const packet = ipv4(17, counting(length - 20), { fragment: 0x4000 });
    const answer = answerTo(packet) as Uint8Array<ArrayBuffer>;
    expect(answer.subarray(0, 10).toHex()).toBe("45000240000000004001");
    expect(answer.subarray(12, 22).toHex()).toBe("0a0000020a0000010304");
    expect(answer.subarray(24, 28).toHex()).toBe("00000578");
    expect(answer.slice(28)).toEqual(packet.slice(0, 548));
    expect(naiveSum(answer.slice(0, 20))).toBe(0xffff);
    expect(naiveSum(answer.slice(20))).toBe(0xffff);
  });

  test("quotes all of a short packet", () => {
    const packet = ipv4(17, counting(301));
    const answer = answerTo(packet, 68) as Uint8Array<ArrayBuffer>;
    expect(answer.slice(28)).toEqual(packet);
    expect(new DataView(answer.buffer).getUint16(2)).toBe(28 + 321);
    expect(naiveSum(answer.slice(20))).toBe(0xffff);
  });

  test("stays silent to ICMP errors, and speaks to ICMP queries", () => {
    for (const type of [3, 4, 5, 11, 12]) expect(answerTo(ipv4(1, icmp(type)))).toBeUndefined();
    for (const type of [0, 8, 13, 14]) expect(answerTo(ipv4(1, icmp(type)))).toBeDefined();
  });

  test("finds the ICMP type behind IP options", () => {
    expect(answerTo(ipv4(1, icmp(3), { header: 28 }))).toBeUndefined();
    expect(answerTo(ipv4(1, icmp(8), { header: 28 }))).toBeDefined();
  });

  test("stays silent to senders that are nobody, and about multicast and broadcast", () => {
    const packet = ipv4(17, counting(1500));
    for (const first of [224, 239, 240, 255]) {
      expect(answerTo(packet.with(12, first))).toBeUndefined();
      expect(answerTo(packet.with(16, first))).toBeUndefined();
    }
    expect(answerTo(packet.with(12, 0).with(15, 0))).toBeUndefined();
    expect(answerTo(packet.with(12, 223))).toBeDefined();
  });

  test("answers the first fragment alone", () => {
    expect(answerTo(ipv4(17, counting(1500), { fragment: 0x2000 }))).toBeDefined();
    expect(answerTo(ipv4(17, counting(1500), { fragment: 0x2001 }))).toBeUndefined();
    expect(answerTo(ipv4(17, counting(1500), { fragment: 0x1000 }))).toBeUndefined();
  });
});

describe("turnIntoTooBig for IPv6", () => {
  test.each([1440, 1500, 1501])("answers a packet of %d bytes with the known header and a quote", (length) => {
    const packet = ipv6(17, counting(length - 40));
    const answer = answerTo(packet) as Uint8Array<ArrayBuffer>;
    expect(answer.length).toBe(1232);
    expect(answer.subarray(0, 8).toHex()).toBe("6000000004a83a40");
    expect(answer.slice(8, 40)).toEqual(join(packet.slice(24, 40), packet.slice(8, 24)));
    expect(answer.subarray(40, 42).toHex()).toBe("0200");
    expect(answer.subarray(44, 48).toHex()).toBe("00000578");
    expect(answer.slice(48)).toEqual(packet.slice(0, 1232 - 48));
    expect(isIcmpv6Right(answer)).toBe(true);
  });

  test("quotes all of a short packet of odd length", () => {
    const packet = ipv6(17, counting(301));
    const answer = answerTo(packet, 1280) as Uint8Array<ArrayBuffer>;
    expect(answer.slice(48)).toEqual(packet);
    expect(isIcmpv6Right(answer)).toBe(true);
  });

  test("stays silent to ICMPv6 errors, and speaks to the rest of ICMPv6", () => {
    for (const type of [1, 2, 3, 4, 127]) expect(answerTo(ipv6(58, icmp(type)))).toBeUndefined();
    for (const type of [128, 129, 135]) expect(answerTo(ipv6(58, icmp(type)))).toBeDefined();
  });

  test("stays silent to senders that are nobody", () => {
    const packet = ipv6(17, counting(1500));
    expect(answerTo(packet.with(8, 0xff))).toBeUndefined();
    const unspecified = packet.slice();
    unspecified.fill(0, 8, 24);
    expect(answerTo(unspecified)).toBeUndefined();
  });

  test("speaks about multicast, as path MTU discovery needs it (RFC 4443 section 2.4 e.3)", () => {
    expect(answerTo(ipv6(17, counting(1500)).with(24, 0xff))).toBeDefined();
  });
});
