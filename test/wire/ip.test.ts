import { describe, expect, test } from "bun:test";
import { flowHash, ParsedHeader } from "../../src/wire/ip.ts";
import { extension, ipv4, ipv6, join, ports } from "../support/packets/build.ts";
import { seeded } from "../support/seed.ts";

const [HOP, TCP, UDP, ROUTING, FRAGMENT, NONE, OPTIONS] = [0, 6, 17, 43, 44, 59, 60];

/** What a parsed sees at an offset, undefined for junk. */
function seen(packet: Uint8Array, length = packet.length): ParsedHeader | undefined {
  const shifted = join(Uint8Array.of(1, 2, 3), packet, new Uint8Array(64).fill(0xff));
  const parsed = new ParsedHeader();
  return parsed.parse(new DataView(shifted.buffer), 3, length) ? parsed : undefined;
}

function hash(packet: Uint8Array, salt = 1): number {
  const parsed = new ParsedHeader();
  const view = new DataView(packet.buffer);
  if (!parsed.parse(view, 0, packet.length)) throw new Error("junk");
  return flowHash(view, 0, parsed, salt);
}

describe("ParsedHeader at IPv4", () => {
  test("sees protocol, length, traffic class and where the transport begins", () => {
    expect(seen(ipv4(TCP, ports(1, 2), { tos: 0xb9 }))).toMatchObject({
      version: 4,
      length: 40,
      protocol: TCP,
      transport: 20,
      isFragment: false,
      trafficClass: 0xb9,
    });
  });

  test("steps over options", () => {
    for (let header = 20; header <= 60; header += 4) {
      expect(seen(ipv4(UDP, ports(1, 2), { header }))?.transport).toBe(header);
    }
  });

  test.each([
    [0x4000, false],
    [0x8000, false],
    [0x2000, true],
    [0x0001, true],
    [0x1fff, true],
    [0x6000, true],
  ])("reads the fragment field %p", (fragment, isFragment) => {
    expect(seen(ipv4(UDP, ports(1, 2), { fragment }))).toMatchObject({ isFragment });
  });

  test("takes a packet shorter than its buffer for what it says", () => {
    expect(seen(join(ipv4(UDP, ports(1, 2)), new Uint8Array(9)))?.length).toBe(40);
  });

  test("takes for junk what lies about its lengths", () => {
    const packet = ipv4(UDP, ports(1, 2));
    const lie = (offset: number, value: number) => packet.with(offset, value);
    expect(seen(lie(3, 41))).toBeUndefined();
    expect(seen(lie(2, 0xff))).toBeUndefined();
    expect(seen(lie(3, 19))).toBeUndefined();
    expect(seen(lie(0, 0x44))).toBeUndefined();
    expect(seen(lie(0, 0x4f))).toBeUndefined();
    expect(seen(lie(3, 20))?.length).toBe(20);
  });

  test("takes every cut for junk", () => {
    const packet = ipv4(UDP, ports(1, 2));
    for (let length = 0; length < packet.length; length++) expect(seen(packet, length)).toBeUndefined();
  });
});

describe("ParsedHeader at IPv6", () => {
  test("sees protocol, length, traffic class and where the transport begins", () => {
    expect(seen(ipv6(UDP, ports(1, 2), 0xb9))).toMatchObject({
      version: 6,
      length: 60,
      protocol: UDP,
      transport: 40,
      isFragment: false,
      trafficClass: 0xb9,
    });
  });

  test("follows extension headers of any length to the transport", () => {
    const chain = join(extension(ROUTING, 16), extension(OPTIONS, 24), extension(TCP, 8), ports(1, 2));
    expect(seen(ipv6(HOP, chain))).toMatchObject({ protocol: TCP, transport: 88, isFragment: false });
  });

  test("tells a fragment, whose header has no length field", () => {
    const fragment = join(Uint8Array.of(UDP, 0xff, 0, 1, 0, 0, 0, 0), ports(1, 2));
    expect(seen(ipv6(FRAGMENT, fragment))).toMatchObject({ protocol: UDP, transport: 48, isFragment: true });
  });

  test("stops at a header that does not fit, without reading beyond the packet", () => {
    const tooLong = join(extension(TCP, 8).with(1, 2), ports(1, 2, 8));
    expect(seen(ipv6(HOP, tooLong))).toMatchObject({ protocol: HOP, transport: 40 });
    expect(seen(ipv6(OPTIONS, new Uint8Array(7)))).toMatchObject({ protocol: OPTIONS, transport: 40 });
    expect(seen(ipv6(NONE, new Uint8Array(0)))).toMatchObject({ protocol: NONE, transport: 40 });
  });

  test("gives up on a chain longer than eight headers", () => {
    const chain = (count: number) =>
      ipv6(OPTIONS, join(...Array.from({ length: count - 1 }, () => extension(OPTIONS)), extension(TCP), ports(1, 2)));
    expect(seen(chain(8))?.protocol).toBe(TCP);
    expect(seen(chain(9))?.protocol).toBe(OPTIONS);
  });

  test("takes for junk what is cut or claims more than there is", () => {
    const packet = ipv6(UDP, ports(1, 2));
    for (let length = 0; length < packet.length; length++) expect(seen(packet, length)).toBeUndefined();
    expect(seen(packet.with(5, 21))).toBeUndefined();
  });
});

test("ParsedHeader takes every other version for junk", () => {
  const packet = ipv4(UDP, ports(1, 2, 40));
  for (let version = 0; version < 16; version++) {
    const isKnown = seen(packet.with(0, (version << 4) | 5)) !== undefined;
    if (version !== 6) expect(isKnown).toBe(version === 4);
  }
});

describe("flowHash", () => {
  test("depends on addresses, protocol and ports, and on nothing else of the packet", () => {
    const base = ipv4(UDP, ports(1000, 2000, 40));
    const same = [base.with(45, 1), base.with(1, 0xff), base.with(8, 1), base.with(5, 9)];
    const other = [base.with(12, 9), base.with(19, 9), base.with(9, TCP), base.with(21, 9), base.with(23, 9)];
    for (const packet of same) expect(hash(packet)).toBe(hash(base));
    for (const packet of other) expect(hash(packet)).not.toBe(hash(base));
  });

  test("is one for a flow with and without IPv4 options and IPv6 extension headers", () => {
    expect(hash(ipv4(TCP, ports(1, 2), { header: 32 }))).toBe(hash(ipv4(TCP, ports(1, 2))));
    expect(hash(ipv6(HOP, join(extension(TCP), ports(1, 2))))).toBe(hash(ipv6(TCP, ports(1, 2))));
  });

  test("is one for all fragments of a packet", () => {
    const [first, later] = [0x2000, 0x2001].map((fragment) => ipv4(UDP, ports(fragment, 2), { fragment }));
    expect(hash(first as Uint8Array)).toBe(hash(later as Uint8Array));
  });

  test("ignores ports where a protocol has none", () => {
    expect(hash(ipv4(1, ports(1, 2)))).toBe(hash(ipv4(1, ports(3, 4))));
  });

  test("reads no ports beyond the packet", () => {
    expect(hash(ipv4(UDP, new Uint8Array(3)))).toBe(hash(ipv4(UDP, new Uint8Array(3).fill(9))));
  });

  test("spreads flows and depends on the salt", () => {
    const bins = new Array<number>(64).fill(0);
    let sameUnderOtherSalt = 0;
    for (let port = 0; port < 6400; port++) {
      const packet = ipv4(UDP, ports(port, 443));
      const value = hash(packet);
      bins[value % 64] = (bins[value % 64] ?? 0) + 1;
      if (value % 8192 === hash(packet, 2) % 8192) sameUnderOtherSalt++;
    }
    expect(Math.min(...bins)).toBeGreaterThan(50);
    expect(Math.max(...bins)).toBeLessThan(160);
    expect(sameUnderOtherSalt).toBeLessThan(10);
  });

  test("is an unsigned integer of 32 bits", () => {
    seeded((random) => {
      for (let i = 0; i < 500; i++) {
        const value = hash(ipv6(UDP, ports(random.below(65536), random.below(65536))), random.uint32());
        expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
      }
    })();
  });
});
