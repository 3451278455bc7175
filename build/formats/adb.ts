// Writes the package format of apk v3, OpenWrt's since 25.12 (apk-tools 3: adb.h, apk_adb.h). All numbers are little-endian.
//
//     file    "ADB." "pckg", then blocks; or "ADBd" and the whole of that as raw deflate
//     block   u32 type << 30 | 4 + length, payload, zeros up to a multiple of 8
//             type 0 the database, type 1 a signature over it, type 2 contents of a file: u32 index of its folder, u32 its own, bytes
//     database   u8 0, u8 0, u16 0, u32 root value, then what values point to, offsets counted from the u8
//     value   u32, 0 for nothing, else 4 bits of type and 28 of number or offset:
//             1 number   2 offset of u32   3 offset of u64   8, 9, a offset of length (u8, u16, u32) and bytes
//             d, e offset of u32 count + 1 and that many values but one: an array, or the fields of an object from the first on
//
// Offsets are multiples of the size of what they point at. The last of a list of fields is never empty.

export type AdbValue = number | string | Uint8Array | readonly AdbValue[] | AdbObject | undefined;

/** An object: its fields by number, from 1. */
export interface AdbObject {
  readonly fields: Readonly<Record<number, AdbValue>>;
}

const TYPE = { NUMBER: 1, U32: 2, BLOB8: 8, BLOB16: 9, BLOB32: 10, ARRAY: 13, OBJECT: 14 } as const;
const PAYLOAD_BITS = 28;
const HEADER_SIZE = 8;
const BLOCK = { DATABASE: 0, SIGNATURE: 1, DATA: 2 } as const;
/** Schema of a package, which is part of what is signed. */
export const PACKAGE_SCHEMA = "pckg";

/** Collects values; the data that a value points to is written before the value itself. */
class Database {
  #parts: Uint8Array[] = [new Uint8Array(HEADER_SIZE)];
  #size = HEADER_SIZE;

  bytes(root: number): Uint8Array<ArrayBuffer> {
    const all = Buffer.concat(this.#parts);
    all.writeUInt32LE(root, 4);
    return all;
  }

  put(value: AdbValue): number {
    if (value === undefined) return 0;
    if (typeof value === "number") return this.#putNumber(value);
    if (typeof value === "string") return this.#putBlob(new TextEncoder().encode(value));
    if (value instanceof Uint8Array) return this.#putBlob(value);
    if ("fields" in value) return this.#putObject(value);
    return this.#putSlots(TYPE.ARRAY, value);
  }

  #putNumber(value: number): number {
    if (value < 2 ** PAYLOAD_BITS) return tagged(TYPE.NUMBER, value);
    return tagged(TYPE.U32, this.#append(words(value), 4));
  }

  #putBlob(bytes: Uint8Array): number {
    const { length } = bytes;
    const size = length < 2 ** 8 ? 1 : length < 2 ** 16 ? 2 : 4;
    const type = size === 1 ? TYPE.BLOB8 : size === 2 ? TYPE.BLOB16 : TYPE.BLOB32;
    return tagged(type, this.#append(Buffer.concat([words(length).subarray(0, size), bytes]), size));
  }

  #putObject({ fields }: AdbObject): number {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const last = Math.max(0, ...given.map(([field]) => Number(field)));
    return this.#putSlots(
      TYPE.OBJECT,
      Array.from({ length: last }, (_, i) => fields[i + 1]),
    );
  }

  #putSlots(type: number, values: readonly AdbValue[]): number {
    const slots = values.map((value) => this.put(value));
    return tagged(type, this.#append(words(slots.length + 1, ...slots), 4));
  }

  #append(bytes: Uint8Array, alignment: number): number {
    const padding = -this.#size & (alignment - 1);
    const offset = this.#size + padding;
    this.#parts.push(new Uint8Array(padding), bytes);
    this.#size = offset + bytes.length;
    return offset;
  }
}

function tagged(type: number, payload: number): number {
  return type * 2 ** PAYLOAD_BITS + payload;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt32LE(value, 4 * i);
  });
  return bytes;
}

/** Returns a database with `root` as its root value. */
export function adbDatabase(root: AdbObject): Uint8Array<ArrayBuffer> {
  const database = new Database();
  return database.bytes(database.put(root));
}

/** Content of one file, identified by the index of its folder and its own in that folder, both from 1. */
export interface AdbData {
  readonly folder: number;
  readonly file: number;
  readonly content: Uint8Array;
}

/** Returns the package, not compressed. @param signatures payloads of signature blocks, none for an unsigned package */
export function adbPackage(
  database: Uint8Array,
  data: readonly AdbData[],
  signatures: readonly Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  const signed = signatures.flatMap((signature) => block(BLOCK.SIGNATURE, signature));
  const blocks = data.flatMap(({ folder, file, content }) => block(BLOCK.DATA, words(folder, file), content));
  return Buffer.concat([
    Buffer.from(`ADB.${PACKAGE_SCHEMA}`),
    ...block(BLOCK.DATABASE, database),
    ...signed,
    ...blocks,
  ]);
}

function block(type: number, ...payload: readonly Uint8Array[]): Uint8Array[] {
  const size = payload.reduce((sum, { length }) => sum + length, 4);
  // Two bits of 32 are the type; larger blocks have another header.
  if (size >= 2 ** 30) throw new Error(`${size} bytes are too many for a block`);
  return [words(type * 2 ** 30 + size), ...payload, new Uint8Array(-size & 7)];
}
