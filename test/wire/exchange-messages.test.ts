import { describe, expect, test } from "bun:test";
import { createEndpoint, parseEndpoint } from "../../src/endpoint.ts";
import { TYPE } from "../../src/wire/datagram.ts";
import {
  decodeHello,
  encodeHello,
  exchangeHeader,
  HELLO_SIZE,
  type Hello,
  PATTERN,
  readExchangeHeader,
} from "../../src/wire/exchange-messages.ts";
import { counting } from "../support/bytes.ts";
import golden from "../vectors/hello.json";

const HELLO: Hello = {
  suites: 0b1100,
  chosen: 3,
  costs: [0, 0, 700, 11_000],
  index: 0x0a0b0c,
  run: counting(8, 0xa0),
  attempt: 0x01020304,
  link: 3,
  metric: 100,
  name: "dsl",
  addresses: {
    source: parseEndpoint("192.0.2.1") ?? createEndpoint(),
    destination: parseEndpoint("2001:db8::2") ?? createEndpoint(),
  },
};

describe("A hello", () => {
  test("has the known bytes, with addresses and without", () => {
    expect(encodeHello(HELLO).toHex()).toBe(golden.withAddresses);
    expect(encodeHello({ ...HELLO, addresses: undefined }).toHex()).toBe(golden.plain);
    expect(encodeHello(HELLO).length).toBe(HELLO_SIZE);
  });

  test("says the same to whoever reads it", () => {
    expect(decodeHello(encodeHello(HELLO))).toEqual(HELLO);
    expect(decodeHello(encodeHello({ ...HELLO, addresses: undefined }))?.addresses).toBeUndefined();
  });

  test.each(["", "x", "a name of exactly 24 byte", "a name that is longer than it may be", "Fähre", "ü".repeat(40)])(
    "carries the name '%s', cut and in printable ASCII",
    (name) => {
      const read = decodeHello(encodeHello({ ...HELLO, name }))?.name;
      expect(read).toMatch(/^[ -~]{0,24}$/);
      if (/^[ -~]{0,24}$/.test(name)) expect(read).toBe(name);
    },
  );

  test("carries a cost of any size as well as 16 bits can", () => {
    const read = (cost: number) => decodeHello(encodeHello({ ...HELLO, costs: [0, 0, cost, 0] }))?.costs[2];
    expect([0, 4, 6, 655_350, 10_000_000].map(read)).toEqual([0, 0, 10, 655_350, 655_350]);
  });

  test.each([
    ["an unknown flag", 0, 2],
    ["an index of zero", 5, 0],
    ["an index beyond 24 bits", 4, 1],
    ["an address of no known family", 52, 7],
  ])("makes no sense with %s", (_what, at, value) => {
    const bytes = encodeHello({ ...HELLO, index: 1 << 16 });
    bytes[at] = value;
    expect(decodeHello(bytes)).toBeUndefined();
  });

  test("makes no sense cut short or longer than it is", () => {
    expect(decodeHello(encodeHello(HELLO).subarray(1))).toBeUndefined();
    expect(decodeHello(new Uint8Array(HELLO_SIZE + 1))).toBeUndefined();
  });
});

describe("The header of an exchange message", () => {
  test("tells type, receiver, version and pattern", () => {
    const header = exchangeHeader(TYPE.EXCHANGE_RESPONSE, 0x0a0b0c, PATTERN.IKpsk2);
    expect(header.toHex()).toBe("200a0b0c01010000");
    expect(readExchangeHeader(header)).toEqual({ type: 2, receiverIndex: 0x0a0b0c, version: 1, pattern: 1 });
    expect(readExchangeHeader(header.subarray(1))).toBeUndefined();
  });
});
