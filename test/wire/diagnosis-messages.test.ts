import { describe, expect, test } from "bun:test";
import { createEndpoint, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import {
  DIAGNOSIS,
  type DiagnosisMessage,
  decodeDiagnosis,
  diagnosisSize,
  encodeDiagnosis,
} from "../../src/wire/diagnosis-messages.ts";
import { MESSAGE } from "../../src/wire/message-types.ts";

const at = (text: string, port = 0) => parseEndpoint(text, port) as Endpoint;
const secret = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

const MESSAGES: readonly (readonly [DiagnosisMessage, string])[] = [
  [{ kind: DIAGNOSIS.ECHO, token: 7 }, "a000000007"],
  [{ kind: DIAGNOSIS.BEST, token: 0xfffffffe }, "a2fffffffe"],
  [
    { kind: DIAGNOSIS.REPLY, token: 1, seen: at("192.0.2.1", 4725) },
    "a100000001041275c0000201000000000000000000000000",
  ],
  [{ kind: DIAGNOSIS.REPLY, token: 1, seen: at("2001:db8::1", 1) }, "a10000000106000120010db8000000000000000000000001"],
  [{ kind: DIAGNOSIS.REPLY, token: 1, seen: createEndpoint() }, `a100000001${"00".repeat(19)}`],
  [{ kind: DIAGNOSIS.OPEN, token: 2, secret, seconds: 255 }, `a300000002${secret.toHex()}ff`],
  [
    { kind: DIAGNOSIS.READY, token: 3, port: 4726, addresses: [at("10.0.0.1"), at("fd00::1")] },
    "a40000000312760a000001fd000000000000000000000000000001",
  ],
  [{ kind: DIAGNOSIS.READY, token: 3, port: 0, addresses: [] }, `a400000003${"00".repeat(22)}`],
  [{ kind: DIAGNOSIS.ALONE, token: 4, seconds: 9 }, "a50000000409"],
];

describe("The DIAGNOSIS message", () => {
  test.each(MESSAGES)("has its bytes: %j", (message, hex) => {
    const bytes = encodeDiagnosis(message);
    expect(bytes.toHex()).toBe(hex);
    expect(decodeDiagnosis(bytes)).toEqual(message);
    expect(diagnosisSize(new DataView(bytes.buffer), 0, bytes.length)).toBe(bytes.length);
    expect(diagnosisSize(new DataView(bytes.buffer), 0, bytes.length - 1)).toBe(-1);
    expect(decodeDiagnosis(bytes.subarray(0, -1))).toBeUndefined();
  });

  test("of a kind that is not known reaches to the end and says nothing", () => {
    const bytes = new Uint8Array(40);
    bytes[0] = (MESSAGE.DIAGNOSIS << 4) | 15;
    expect(diagnosisSize(new DataView(bytes.buffer), 0, 40)).toBe(40);
    expect(decodeDiagnosis(bytes)).toBeUndefined();
  });

  test("of a family that is none says nothing", () => {
    const bytes = encodeDiagnosis({ kind: DIAGNOSIS.REPLY, token: 1, seen: at("192.0.2.1") });
    bytes[5] = 5;
    expect(decodeDiagnosis(bytes)).toBeUndefined();
  });
});
