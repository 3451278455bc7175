// A reader of apk v3 packages, written from the description of the format and not from the writer. It insists on alignment,
// on zeros where padding is, and on nothing being left over.
import { expect } from "bun:test";

export type Read = number | Uint8Array | Read[] | undefined;

export interface ReadPackage {
  readonly database: Uint8Array;
  readonly root: Read;
  /** Payloads of signature blocks. */
  readonly signatures: readonly Uint8Array[];
  readonly data: readonly { readonly folder: number; readonly file: number; readonly content: Uint8Array }[];
}

export function readApk(file: Uint8Array): ReadPackage {
  expect(ascii(file.subarray(0, 4))).toBe("ADBd");
  const raw = Bun.inflateSync(new Uint8Array(file.subarray(4)));
  expect(ascii(raw.subarray(0, 8))).toBe("ADB.pckg");
  const blocks = readBlocks(raw);
  const [first, ...others] = blocks;
  expect(first?.type).toBe(0);
  // Signatures stand between the database and the data.
  const data = others.filter(({ type }) => type === 2);
  const signatures = others.slice(0, others.length - data.length);
  expect(signatures.every(({ type }) => type === 1)).toBe(true);
  const database = first!.payload;
  return {
    database,
    root: readRoot(database),
    signatures: signatures.map(({ payload }) => payload),
    data: data.map(({ payload }) => {
      const view = viewOf(payload);
      return { folder: view.getUint32(0, true), file: view.getUint32(4, true), content: payload.slice(8) };
    }),
  };
}

function readBlocks(raw: Uint8Array) {
  const blocks: { type: number; payload: Uint8Array }[] = [];
  let at = 8;
  while (at < raw.length) {
    expect(at % 8).toBe(0);
    const word = viewOf(raw).getUint32(at, true);
    const size = word & 0x3fff_ffff;
    blocks.push({ type: word >>> 30, payload: raw.slice(at + 4, at + size) });
    const end = at + Math.ceil(size / 8) * 8;
    expect(raw.subarray(at + size, end).every((byte) => byte === 0)).toBe(true);
    at = end;
  }
  expect(at).toBe(raw.length);
  return blocks;
}

function readRoot(database: Uint8Array): Read {
  const view = viewOf(database);
  expect(view.getUint32(0, true)).toBe(0);
  return readValue(view, view.getUint32(4, true));
}

const BLOB_LENGTH: Readonly<Record<number, number>> = { 8: 1, 9: 2, 10: 4 };

function readValue(view: DataView, value: number): Read {
  const type = value >>> 28;
  const payload = value & 0x0fff_ffff;
  if (value === 0) return undefined;
  if (type === 1) return payload;
  if (type === 2) {
    expect(payload % 4).toBe(0);
    return view.getUint32(payload, true);
  }
  const size = BLOB_LENGTH[type];
  if (size !== undefined) return readBlob(view, payload, size);
  expect([13, 14]).toContain(type);
  expect(payload % 4).toBe(0);
  const count = view.getUint32(payload, true);
  const slots = Array.from({ length: count - 1 }, (_, i) => view.getUint32(payload + 4 + 4 * i, true));
  if (slots.length > 0) expect(slots.at(-1)).not.toBe(0);
  // The first slot is number 1.
  return [undefined, ...slots.map((slot) => readValue(view, slot))];
}

function readBlob(view: DataView, offset: number, size: number): Uint8Array {
  expect(offset % size).toBe(0);
  const length =
    size === 1 ? view.getUint8(offset) : size === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
  return new Uint8Array(view.buffer, view.byteOffset + offset + size, length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function ascii(bytes: Read): string {
  if (!(bytes instanceof Uint8Array)) throw new Error("not a text");
  return Buffer.from(bytes).toString("utf8");
}
