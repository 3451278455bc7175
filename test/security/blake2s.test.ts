import { describe, expect, test } from "bun:test";
import { DROP } from "../../src/drops.ts";
import { Blake2sGenerator, Blake2sVerifier, deriveKey, KeyedBlake2s, macEquals } from "../../src/security/blake2s.ts";
import { counting, flipBit } from "../support/bytes.ts";
import golden from "../vectors/blake2s.json";
import derived from "../vectors/derive-key.json";

const KEY = Uint8Array.fromHex(golden.key);

describe("KeyedBlake2s", () => {
  test.each(golden.macs)("makes the known MAC of $length bytes", ({ length, mac }) => {
    expect(new KeyedBlake2s(KEY).compute(counting(length)).toHex()).toBe(mac);
  });

  test("carries nothing from one message to the next", () => {
    const hash = new KeyedBlake2s(KEY);
    for (const { length, mac } of [...golden.macs, ...golden.macs.toReversed()]) {
      expect(hash.compute(counting(length)).toHex()).toBe(mac);
    }
  });
});

describe("Blake2sGenerator and Blake2sVerifier", () => {
  const end = 5 + 70;
  const bytes = counting(end + 16);
  const view = new DataView(bytes.buffer);
  new Blake2sGenerator(KEY).generate(bytes, view, 5, end);

  test("cover the bytes from start to end and nothing else", () => {
    const mac = new KeyedBlake2s(KEY).compute(counting(70, 5));
    expect(bytes.slice(end).toHex()).toBe(mac.toHex());
    expect(bytes.slice(0, end)).toEqual(counting(end));
  });

  test("agree, and refuse every single flipped bit of message and MAC", () => {
    const verifier = new Blake2sVerifier(KEY);
    expect(verifier.verify(bytes, view, 5, end)).toBe(0);
    for (let bit = 8 * 5; bit < 8 * bytes.length; bit++) {
      expect(verifier.verify(flipBit(bytes, bit), view, 5, end)).toBe(DROP["datagram-forged"]);
    }
  });

  test("refuse another key", () => {
    const verifier = new Blake2sVerifier(flipBit(KEY, 255));
    expect(verifier.verify(bytes, view, 5, end)).toBe(DROP["datagram-forged"]);
  });
});

describe("macEquals", () => {
  test("compares at an offset", () => {
    expect(macEquals(Uint8Array.of(1, 2), Uint8Array.of(9, 1, 2, 9), 1)).toBe(true);
    expect(macEquals(Uint8Array.of(1, 2), Uint8Array.of(1, 2), 1)).toBe(false);
    expect(macEquals(Uint8Array.of(1, 2), Uint8Array.of(1, 3), 0)).toBe(false);
  });
});

describe("macEquals, wherever the first difference is,", () => {
  test.each([0, 1, 8, 15])("reads every byte when byte %d differs", (different) => {
    const reads = { count: 0 };
    const mac = counting(16);
    const watched = new Proxy(mac, {
      get: (target, key) => {
        if (typeof key === "string" && /^\d+$/.test(key)) reads.count++;
        return Reflect.get(target, key, target);
      },
    });
    expect(macEquals(watched, flipBit(mac, 8 * different), 0)).toBe(false);
    expect(reads.count).toBe(16);
  });
});

describe("deriveKey", () => {
  test.each(derived.cases)("derives the known key for label '$label'", ({ key, label, parts, result }) => {
    const bytes = parts.map((part) => Uint8Array.fromHex(part));
    expect(deriveKey(Uint8Array.fromHex(key), label, ...bytes).toHex()).toBe(result);
  });

  test("tells apart the same bytes cut into other parts", () => {
    const [a, b] = [counting(10), counting(20)];
    const keys = [
      deriveKey(KEY, "x", a, b),
      deriveKey(KEY, "x", b, a),
      deriveKey(KEY, "x", Uint8Array.from([...a, ...b])),
      deriveKey(KEY, "y", a, b),
      deriveKey(KEY, "x", a, b, new Uint8Array(0)),
    ];
    expect(new Set(keys.map((key) => key.toHex())).size).toBe(keys.length);
  });
});
