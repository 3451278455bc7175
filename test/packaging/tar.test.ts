import { describe, expect, test } from "bun:test";
import { type TarEntry, tar } from "../../build/formats/tar.ts";
import { readTar } from "./read-tar.ts";

const OPTIONS = { mtime: 1_767_323_045, owner: { user: "root", group: "wheel" } };

function archived(entry: TarEntry) {
  return readTar(tar([entry], OPTIONS));
}

describe("tar", () => {
  test("writes a file's header byte for byte", () => {
    const bytes = tar(
      [{ type: "file", name: "a/b", mode: 0o755, content: new TextEncoder().encode("hello") }],
      OPTIONS,
    );
    const header = new TextDecoder("latin1").decode(bytes.subarray(0, 512));
    const zeros = (count: number) => "\0".repeat(count);
    expect(header).toBe(
      [
        `a/b${zeros(97)}`,
        "0000755\x000000000\x000000000\0",
        "00000000005\x0015125632645\0",
        "011570\0 ",
        `0${zeros(100)}`,
        "ustar\x0000",
        `root${zeros(28)}wheel${zeros(27)}`,
        "0000000\x000000000\0",
        zeros(167),
      ].join(""),
    );
    expect(new TextDecoder().decode(bytes.subarray(512, 517))).toBe("hello");
    expect(bytes.subarray(517)).toEqual(Buffer.alloc(512 - 5 + 1024));
  });

  test("says what a folder and a symbolic link are", () => {
    expect(archived({ type: "directory", name: "./etc/", mode: 0o700 })).toMatchObject([
      { name: "./etc/", type: "5", mode: 0o700, size: 0 },
    ]);
    expect(archived({ type: "symlink", name: "a", target: "../b" })).toMatchObject([
      { name: "a", type: "2", target: "../b", mode: 0o777 },
    ]);
  });

  test("cuts a long name at a slash", () => {
    const name = `./${"folder/".repeat(20)}file`;
    expect(archived({ type: "file", name, mode: 0o644, content: new Uint8Array(1) })).toMatchObject([
      { name, size: 1 },
    ]);
  });

  test("refuses a name that does not fit", () => {
    const content = new Uint8Array(0);
    expect(() => tar([{ type: "file", name: "x".repeat(101), mode: 0o644, content }], OPTIONS)).toThrow("too long");
    const deep = `${"f".repeat(99)}/${"g".repeat(99)}/${"h".repeat(99)}`;
    expect(() => tar([{ type: "file", name: deep, mode: 0o644, content }], OPTIONS)).toThrow("too long");
  });

  test("is empty but for two blocks without entries", () => {
    expect(tar([], OPTIONS)).toEqual(Buffer.alloc(1024));
  });
});
