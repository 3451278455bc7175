import { describe, expect, test } from "bun:test";
import { adbDatabase, adbPackage } from "../../build/formats/adb.ts";
import { readApk } from "./read-adb.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("adbDatabase", () => {
  test("writes numbers, texts and objects byte for byte", () => {
    expect(hex(adbDatabase({ fields: { 1: 0x1ed, 3: "root" } }))).toBe(
      [
        "00000000",
        // The root: an object at 16.
        "100000e0",
        // "root" with its length at 8, then zeros up to a multiple of 4.
        "04726f6f74",
        "000000",
        // Three fields: the number 0x1ed, nothing, the text at 8.
        "04000000",
        "ed010010",
        "00000000",
        "08000080",
      ].join(""),
    );
  });

  test("puts what does not fit into 28 bits elsewhere", () => {
    expect(hex(adbDatabase({ fields: { 1: 0x1000_0000 } }))).toBe(
      ["00000000", "0c0000e0", "00000010", "02000000", "08000020"].join(""),
    );
  });

  test("gives longer texts longer lengths", () => {
    const bytes = adbDatabase({ fields: { 1: "x".repeat(256) } });
    expect(hex(bytes.subarray(8, 12))).toBe("00017878");
    expect(hex(bytes.subarray(-4))).toBe("08000090");
    const large = adbDatabase({ fields: { 1: new Uint8Array(65_536) } });
    expect(hex(large.subarray(8, 12))).toBe("00000100");
    expect(hex(large.subarray(-4))).toBe("080000a0");
  });

  test("has lists of lists", () => {
    const file = adbPackage(adbDatabase({ fields: { 2: [[1, 2], [], [3]] } }), []);
    const { root } = readApk(Buffer.concat([Buffer.from("ADBd"), Bun.deflateSync(file)]));
    expect(root).toEqual([undefined, undefined, [undefined, [undefined, 1, 2], [undefined], [undefined, 3]]]);
  });
});

describe("adbPackage", () => {
  test("pads each block to a multiple of eight", () => {
    const file = adbPackage(new Uint8Array([1, 2, 3]), [{ folder: 1, file: 2, content: new Uint8Array([9]) }]);
    expect(hex(file)).toBe(
      [
        hex(Buffer.from("ADB.pckg")),
        "07000000" + "010203" + "00",
        // Type 2 in the upper two bits; 4 + 8 + 1 bytes.
        "0d000080" + "01000000" + "02000000" + "09" + "000000",
      ].join(""),
    );
  });
});
