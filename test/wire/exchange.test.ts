import { describe, expect, test } from "bun:test";
import { createEndpoint, parseEndpoint } from "../../src/endpoint.ts";
import { TYPE } from "../../src/wire/datagram.ts";
import {
  decodeExchange,
  EXCHANGE_COVERED,
  EXCHANGE_SIZE,
  encodeExchange,
  type Hello,
} from "../../src/wire/exchange.ts";
import { counting } from "../support/bytes.ts";
import golden from "../vectors/exchange.json";

const HELLO: Hello = {
  security: 1,
  index: 1,
  run: counting(8, 0xa0),
  link: 0,
  metric: 0,
  random: counting(32, 0x10),
  name: "dsl",
  addresses: {
    source: parseEndpoint("192.0.2.1") ?? createEndpoint(),
    destination: parseEndpoint("2001:db8::2") ?? createEndpoint(),
  },
};

const decoded = (message: Uint8Array) => {
  const result = decodeExchange(message);
  if (typeof result === "string") throw new Error(result);
  return result;
};

describe("encodeExchange", () => {
  test("makes the known bytes, with addresses, all but the MAC", () => {
    const message = encodeExchange(TYPE.EXCHANGE_INITIATION, 0, HELLO);
    expect(message.subarray(0, EXCHANGE_COVERED).toHex()).toBe(golden.withAddresses.slice(0, 2 * EXCHANGE_COVERED));
    expect(message.length).toBe(EXCHANGE_SIZE);
  });

  test.each(["", "x", "a name of exactly 24 byte", "a name that is longer than it may be", "Fähre", "ü".repeat(40)])(
    "carries the name '%s', cut and in printable ASCII",
    (name) => {
      const { hello } = decoded(encodeExchange(TYPE.EXCHANGE_INITIATION, 0, { ...HELLO, name }));
      expect(hello.name).toMatch(/^[ -~]{0,24}$/);
      if (/^[ -~]{0,24}$/.test(name)) expect(hello.name).toBe(name);
    },
  );
});

describe("decodeExchange", () => {
  test("reads back what was written", () => {
    const message = encodeExchange(TYPE.EXCHANGE_RESPONSE, 0xfedcba, HELLO);
    expect(decoded(message)).toEqual({ receiverIndex: 0xfedcba, hello: HELLO });
  });

  test("reads the largest values", () => {
    const hello: Hello = { ...HELLO, index: 0xffffff, link: 0xffff, metric: 0xffff, addresses: undefined };
    expect(decoded(encodeExchange(TYPE.EXCHANGE_INITIATION, 0, hello)).hello).toEqual(hello);
  });

  test("refuses every other length", () => {
    const message = encodeExchange(TYPE.EXCHANGE_INITIATION, 0, HELLO);
    for (let length = 0; length < EXCHANGE_SIZE; length++) {
      expect(decodeExchange(message.subarray(0, length))).toBe("size");
    }
  });

  test("names the field that is wrong", () => {
    const message = encodeExchange(TYPE.EXCHANGE_INITIATION, 0, HELLO);
    expect(decodeExchange(message.with(8, 0))).toBe("version");
    for (let flags = 2; flags < 256; flags++) expect(decodeExchange(message.with(9, flags))).toBe("flags");
    expect(decodeExchange(message.with(15, 0))).toBe("index");
    expect(decodeExchange(message.with(12, 1))).toBe("index");
    expect(decodeExchange(message.with(84, 5))).toBe("address");
    expect(decodeExchange(message.with(101, 255))).toBe("address");
  });

  test("demands index 0 of an initiation and another of a response", () => {
    expect(decodeExchange(encodeExchange(TYPE.EXCHANGE_INITIATION, 7, HELLO))).toBe("index");
    expect(decodeExchange(encodeExchange(TYPE.EXCHANGE_RESPONSE, 0, HELLO))).toBe("index");
  });

  test("lets no terminal control through in a name", () => {
    const message = encodeExchange(TYPE.EXCHANGE_INITIATION, 0, { ...HELLO, name: "\x1b[2Jx\x7f" });
    expect(decoded(message).hello.name).toBe("?[2Jx?");
  });
});
