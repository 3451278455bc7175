import { describe, expect, test } from "bun:test";
import { completeChecksum, fold, isChecksumRight, sum16 } from "../../src/offload/checksum.ts";
import { build, content } from "../support/packets/build.ts";
import { isRight, naiveSum } from "../support/packets/checksums.ts";

describe("sum16", () => {
  test("gives the sum of the example in RFC 1071", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(sum16(new DataView(bytes.buffer), 0, 8)).toBe(0xddf2);
  });

  test("equals the naive sum for every length and alignment", () => {
    const bytes = content(200, 3);
    const view = new DataView(bytes.buffer);
    for (let offset = 0; offset < 4; offset++) {
      for (let length = 0; length < 100; length++) {
        expect(sum16(view, offset, length)).toBe(naiveSum(bytes.slice(offset, offset + length)));
      }
    }
  });

  test("does not overflow over 64 KiB of ones", () => {
    const bytes = new Uint8Array(65_536).fill(0xff);
    expect(sum16(new DataView(bytes.buffer), 0, bytes.length)).toBe(0xffff);
  });

  test("folds more than two carries", () => {
    expect(fold(0xffff_ffff)).toBe(0xffff);
    expect(fold(0x1_ffff)).toBe(1);
  });
});

describe("the transport checksum", () => {
  const kinds = [
    [4, "tcp", 20, 16],
    [4, "udp", 20, 6],
    [6, "tcp", 40, 16],
    [6, "udp", 40, 6],
  ] as const;
  test.each(kinds)("is completed and recognised for IPv%d and %s", (version, protocol, start, field) => {
    const packet = build({ version, protocol, payload: content(333, 9), checksum: "partial" });
    const view = new DataView(packet.buffer);
    const number = protocol === "udp" ? 17 : 6;
    completeChecksum(view, start, field, packet.length, protocol === "udp");
    expect(isRight(packet)).toBe(true);
    expect(isChecksumRight(view, 0, version, number, start, packet.length)).toBe(true);
    view.setUint8(332, view.getUint8(332) ^ 1);
    expect(isChecksumRight(view, 0, version, number, start, packet.length)).toBe(false);
  });

  test("of UDP is 0xffff where it would be 0, for 0 means none", () => {
    const bytes = new Uint8Array(8);
    bytes[0] = 0xff;
    bytes[1] = 0xff;
    const view = new DataView(bytes.buffer);
    completeChecksum(view, 0, 6, 8, true);
    expect(view.getUint16(6)).toBe(0xffff);
  });
});
