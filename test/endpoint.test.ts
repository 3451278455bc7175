import { describe, expect, test } from "bun:test";
import {
  addressOf,
  createEndpoint,
  ENDPOINT_SIZE,
  type Endpoint,
  familyOf,
  formatAddress,
  formatEndpoint,
  parseEndpoint,
  portOf,
  sameAddress,
  sameEndpoint,
  samePrefix,
  scopeOf,
  setEndpoint,
  setPort,
} from "../src/endpoint.ts";
import type { SeededRandom } from "./support/random.ts";
import { seeded } from "./support/seed.ts";

function parsed(text: string, port = 0): Endpoint {
  const endpoint = parseEndpoint(text, port);
  if (!endpoint) throw new Error(`not an address: ${text}`);
  return endpoint;
}

/** An address of either family with runs of zeros, as people choose them. */
function drawEndpoint(random: SeededRandom): Endpoint {
  const address = new Uint8Array(16);
  random.bytes(address);
  for (let group = 0; group < 8; group++) if (random.chance(0.6)) address.fill(0, 2 * group, 2 * group + 2);
  const endpoint = createEndpoint();
  setEndpoint(endpoint, random.chance(0.2) ? 4 : 6, address, 0, 0);
  return endpoint;
}

describe("parseEndpoint", () => {
  test("lays out IPv4 and IPv6 in the known bytes", () => {
    expect(parsed("192.0.2.1", 4725).toHex()).toBe(`04001275c0000201${"00".repeat(16)}`);
    expect(parsed("fe80::1:2%3", 65535).toHex()).toBe("0600fffffe80000000000000000000000001000200000003");
  });

  test.each([
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["1::", "00010000000000000000000000000000"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::2:3:4:5:6:7:8", "00000002000300040005000600070008"],
    ["::ffff:192.0.2.33", "00000000000000000000ffffc0000221"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
    ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"],
    ["ABCD:EF01::", "abcdef01000000000000000000000000"],
  ])("reads %s", (text, hex) => {
    expect(addressOf(parsed(text)).toHex()).toBe(hex);
  });

  test.each([
    ..."|1|1.2.3|1.2.3.4.5|256.0.0.1|01.2.3.4|1.2.3.-4|1.2.3.4 | 1.2.3.4|1.2.3.4%1|0x1.2.3.4|1..2.3|1.2.3.".split("|"),
    ...":|:::|1:::2|1::2::3|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7:8::|12345::|g::|:1::|::1:".split("|"),
    ..."1:2:3:4:5:6:7:1.2.3.4|::1.2.3.4:5|1.2.3.4::|1.2.3.4:5::|::1.2.3|::256.1.1.1|[::1]|::1/64|localhost".split("|"),
    ..."fe80::1%|fe80::1%eth0|fe80::1%-1|fe80::1%1%2|fe80::1%4294967296|fe80::1% 1|%1".split("|"),
  ])("refuses '%s'", (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });

  test("takes the largest scope", () => {
    expect(scopeOf(parsed("fe80::1%4294967295"))).toBe(4294967295);
  });
});

describe("formatEndpoint", () => {
  // The forms that RFC 5952 asks for in its section 4.
  test.each([
    ["2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8::A", "2001:db8::a"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["fe80::1%7", "fe80::1%7"],
    ["10.0.0.255", "10.0.0.255"],
  ])("writes %s as %s", (text, expected) => {
    expect(formatAddress(parsed(text))).toBe(expected);
  });

  test("adds the port, and brackets around IPv6", () => {
    expect(formatEndpoint(parsed("192.0.2.1", 80))).toBe("192.0.2.1:80");
    expect(formatEndpoint(parsed("2001:db8::1", 80))).toBe("[2001:db8::1]:80");
    expect(formatEndpoint(parsed("2001:db8::1"))).toBe("2001:db8::1");
    expect(formatEndpoint(createEndpoint())).toBe("none");
  });

  test("writes what parseEndpoint reads back, for every address", () => {
    seeded((random) => {
      for (let i = 0; i < 3_000; i++) {
        const endpoint = drawEndpoint(random);
        expect(parsed(formatAddress(endpoint))).toEqual(endpoint);
      }
    })();
  });
});

describe("endpoints", () => {
  test("are compared by family, address, port and scope", () => {
    const a = parsed("fe80::1%1", 5);
    expect(sameEndpoint(a, parsed("fe80::1%1", 5))).toBe(true);
    for (const other of [parsed("fe80::1%1", 6), parsed("fe80::1%2", 5), parsed("fe80::2%1", 5), createEndpoint()]) {
      expect(sameEndpoint(a, other)).toBe(false);
    }
    expect(sameAddress(a, parsed("fe80::1%1", 6))).toBe(true);
    expect(sameAddress(parsed("1.2.3.4"), parsed("102:304::"))).toBe(false);
    expect(sameAddress(parsed("1.2.3.4"), parsed("1.2.3.5"))).toBe(false);
  });

  test("forget everything old when set", () => {
    const endpoint = parsed("fe80::1%9", 7);
    setEndpoint(endpoint, 4, Uint8Array.of(1, 2, 3, 4), 258);
    expect(endpoint).toEqual(parsed("1.2.3.4", 258));
    setPort(endpoint, 65535);
    expect([portOf(endpoint), familyOf(endpoint), endpoint.length]).toEqual([65535, 4, ENDPOINT_SIZE]);
  });

  test("have a prefix in common by bits, within one family", () => {
    const same = (a: string, b: string, bits: number) =>
      samePrefix(parseEndpoint(a) as Endpoint, parseEndpoint(b) as Endpoint, bits);
    expect([23, 24, 32].map((bits) => same("10.1.2.3", "10.1.3.3", bits))).toEqual([true, false, false]);
    expect([0, 32].map((bits) => same("0.0.0.0", "255.0.0.0", bits))).toEqual([true, false]);
    expect([63, 64, 128].map((bits) => same("fd00::1", "fd00:0:0:1::1", bits))).toEqual([true, false, false]);
    expect(same("10.0.0.1", "::", 0)).toBe(false);
  });
});
