// A reader of tar archives after POSIX.1-1988 (ustar), independent of the writer, that insists on every field.
import { expect } from "bun:test";

export interface ReadEntry {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  readonly user: string;
  readonly group: string;
  readonly target: string;
  readonly content: Uint8Array;
}

export function readTar(bytes: Uint8Array): ReadEntry[] {
  expect(bytes.length % 512).toBe(0);
  const entries: ReadEntry[] = [];
  let at = 0;
  for (; bytes[at] !== 0; at += 512 + Math.ceil((entries.at(-1) as ReadEntry).size / 512) * 512) {
    entries.push(readEntry(bytes, at));
  }
  const rest = bytes.subarray(at);
  expect(rest.length).toBeGreaterThanOrEqual(1024);
  expect(rest.every((byte) => byte === 0)).toBe(true);
  return entries;
}

function readEntry(bytes: Uint8Array, at: number): ReadEntry {
  const header = bytes.subarray(at, at + 512);
  const text = (from: number, size: number) =>
    Buffer.from(header.subarray(from, from + size))
      .toString("utf8")
      .split("\0")[0] ?? "";
  const number = (from: number, size: number) => {
    const digits = text(from, size).trim();
    expect(digits).toMatch(/^[0-7]+$/);
    return Number.parseInt(digits, 8);
  };
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  expect(number(148, 8)).toBe(sum);
  expect(Buffer.from(header.subarray(257, 265)).toString()).toBe("ustar\x0000");
  expect([number(108, 8), number(116, 8)]).toEqual([0, 0]);
  const size = number(124, 12);
  const prefix = text(345, 155);
  const padding = bytes.subarray(at + 512 + size, at + 512 + Math.ceil(size / 512) * 512);
  expect(padding.every((byte) => byte === 0)).toBe(true);
  return {
    name: prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    type: text(156, 1),
    mode: number(100, 8),
    size,
    mtime: number(136, 12),
    user: text(265, 32),
    group: text(297, 32),
    target: text(157, 100),
    content: bytes.slice(at + 512, at + 512 + size),
  };
}
