import { describe, expect, test } from "bun:test";
import type { Agreement, Introduction, Refusal, Response } from "../../src/exchange/exchange.ts";
import { SharedKeyExchange } from "../../src/exchange/shared-key.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { SeededRandom } from "../../src/random.ts";
import type { Security } from "../../src/security/security.ts";
import { Blake2sSuite, NoSecuritySuite } from "../../src/security/suite.ts";
import { EXCHANGE_SIZE } from "../../src/wire/exchange.ts";
import { counting, flipBit } from "../support/bytes.ts";
import { contentOf, slotWith } from "../support/slots.ts";
import golden from "../vectors/exchange.json";

const KEY = new Uint8Array(32).fill(7);
const FROM_A: Introduction = { index: 0x0a0b0c, link: 3, metric: 100, name: "lte", addresses: undefined };
const FROM_B: Introduction = { index: 0x010203, link: 9, metric: 5, name: "home", addresses: undefined };

const filledWith = (first: number) => (out: Uint8Array) => out.set(counting(out.length, first));

function ends(suite = () => new Blake2sSuite()) {
  const a = new SharedKeyExchange(suite(), KEY, counting(8, 0xa0), filledWith(0x10));
  const b = new SharedKeyExchange(suite(), KEY, counting(8, 0xb0), filledWith(0x40));
  return { a, b };
}

function accepted<T extends object>(value: T | Refusal): T {
  if (typeof value === "string") throw new Error(`refused: ${value}`);
  return value;
}

/** Whether a datagram that `from` sealed opens with `to`. */
function carries(from: Security, to: Security): boolean {
  const pool = new PacketPool(1, 300);
  const slot = slotWith(pool, counting(100));
  from.seal(pool, slot);
  return to.open(pool, slot) === 0 && contentOf(pool, slot).every((byte, i) => byte === i);
}

describe("SharedKeyExchange", () => {
  test("makes the known initiation and response", () => {
    const { a, b } = ends();
    const { message } = a.initiate(FROM_A);
    expect(message.toHex()).toBe(golden.initiation);
    expect(accepted(b.respond(message, FROM_B)).message.toHex()).toBe(golden.response);
  });

  test("derives the known keys", () => {
    const keys: string[] = [];
    class Spy extends Blake2sSuite {
      override create(send: Uint8Array, receive: Uint8Array, run: string): Security {
        keys.push(`${send.toHex()} ${receive.toHex()} ${run}`);
        return super.create(send, receive, run);
      }
    }
    const { a, b } = ends(() => new Spy());
    const initiation = a.initiate(FROM_A);
    accepted(initiation.complete(accepted(b.respond(initiation.message, FROM_B)).message));
    expect(keys).toEqual([
      `${golden.toInitiator} ${golden.toResponder} a0a1a2a3a4a5a6a7`,
      `${golden.toResponder} ${golden.toInitiator} b0b1b2b3b4b5b6b7`,
    ]);
  });

  test("gives both ends security that understands the other's", () => {
    const { a, b } = ends();
    const initiation = a.initiate(FROM_A);
    const response = accepted(b.respond(initiation.message, FROM_B));
    const agreement = accepted(initiation.complete(response.message));
    expect(carries(agreement.security, response.agreement.security)).toBe(true);
    expect(carries(response.agreement.security, agreement.security)).toBe(true);
    expect(carries(agreement.security, agreement.security)).toBe(false);
  });

  test("tells each end what the other said", () => {
    const { a, b } = ends();
    const initiation = a.initiate(FROM_A);
    const response = accepted(b.respond(initiation.message, FROM_B));
    const agreement = accepted(initiation.complete(response.message));
    expect(response.agreement).toMatchObject({ run: "a0a1a2a3a4a5a6a7", peer: FROM_A });
    expect(agreement).toMatchObject({ run: "b0b1b2b3b4b5b6b7", peer: FROM_B });
    expect(accepted(b.read(initiation.message))).toMatchObject(FROM_A);
  });

  test("answers a replayed initiation with other keys", () => {
    const a = new SharedKeyExchange(new Blake2sSuite(), KEY, counting(8), new SeededRandom(1).bytes);
    const b = new SharedKeyExchange(new Blake2sSuite(), KEY, counting(8, 50), new SeededRandom(2).bytes);
    const initiation = a.initiate(FROM_A);
    const answers = [1, 2].map(() => accepted<Response>(b.respond(initiation.message, FROM_B)));
    const agreement = accepted<Agreement>(initiation.complete(answers[0]?.message as Uint8Array));
    expect(carries(agreement.security, answers[1]?.agreement.security as Security)).toBe(false);
    expect(carries(agreement.security, answers[0]?.agreement.security as Security)).toBe(true);
  });

  test("refuses a response to another initiation", () => {
    const a = new SharedKeyExchange(new Blake2sSuite(), KEY, counting(8), new SeededRandom(1).bytes);
    const { b } = ends();
    const [first, second] = [a.initiate(FROM_A), a.initiate(FROM_A)];
    expect(first.complete(accepted(b.respond(second.message, FROM_B)).message)).toBe("forged");
    const other = a.initiate({ ...FROM_A, index: 5 });
    expect(first.complete(accepted(b.respond(other.message, FROM_B)).message)).toBe("unexpected");
  });

  test("refuses its own message sent back", () => {
    const { a } = ends();
    const initiation = a.initiate(FROM_A);
    expect(typeof initiation.complete(initiation.message)).toBe("string");
  });

  test("refuses every flipped bit of an initiation, and of a response", () => {
    const { a, b } = ends();
    const initiation = a.initiate(FROM_A);
    const { message } = accepted(b.respond(initiation.message, FROM_B));
    for (let bit = 0; bit < 8 * EXCHANGE_SIZE; bit++) {
      const read = b.read(flipBit(initiation.message, bit));
      const completed = initiation.complete(flipBit(message, bit));
      if (typeof read !== "string" || typeof completed !== "string") throw new Error(`bit ${bit} is not covered`);
    }
  });

  test("says whether key, version, suite, size or flags are wrong", () => {
    const { a, b } = ends();
    const { message } = a.initiate(FROM_A);
    const other = new SharedKeyExchange(new Blake2sSuite(), new Uint8Array(32), counting(8), filledWith(1));
    const plain = new SharedKeyExchange(new NoSecuritySuite(), KEY, counting(8), filledWith(1));
    const changed = (at: number, value: number) => message.with(at, value);
    expect(other.read(message)).toBe("forged");
    expect(plain.read(message)).toBe("security");
    expect(b.read(changed(8, 2))).toBe("version");
    expect(b.read(changed(9, 2))).toBe("malformed");
    for (const length of [0, 8, EXCHANGE_SIZE - 1]) expect(b.read(message.slice(0, length))).toBe("malformed");
    expect(b.read(Uint8Array.from([...message, 0]))).toBe("malformed");
  });

  test("says so of a response as well", () => {
    const { a, b } = ends();
    const initiation = a.initiate(FROM_A);
    const { message } = accepted(b.respond(initiation.message, FROM_B));
    expect(initiation.complete(message.with(8, 2))).toBe("version");
    expect(initiation.complete(message.slice(0, 135))).toBe("malformed");
    expect(initiation.complete(message.with(60, 0x78))).toBe("forged");
    const plain = new SharedKeyExchange(new NoSecuritySuite(), KEY, counting(8), filledWith(0x40));
    expect(plain.respond(initiation.message, FROM_B)).toBe("security");
  });
});
