import { describe, expect, test } from "bun:test";
import { FOOTER_SIZE, readFooter, writeFooter } from "../../src/wire/footer.ts";

describe("writeFooter", () => {
  test.each([
    [0, "0000000000000000"],
    [0x0102030405, "0000000102030405"],
    [Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
  ])("writes the sequence %p as known and reads it back", (sequence, known) => {
    const bytes = new Uint8Array(FOOTER_SIZE + 2).fill(0xee);
    const view = new DataView(bytes.buffer);
    writeFooter(view, 1, sequence);
    expect([bytes.toHex(), readFooter(view, 1)]).toEqual([`ee${known}ee`, sequence]);
  });
});

describe("readFooter", () => {
  test("refuses what is larger than any sender counts", () => {
    expect(readFooter(new DataView(Uint8Array.fromHex("0020000000000000").buffer), 0)).toBe(-1);
  });
});
