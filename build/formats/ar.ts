// Writes an ar archive in the common format, as deb(5) requires.
//
//     "!<arch>\n", then for each member a header of 60 bytes, left-justified text padded with spaces:
//
//     offset  size  field                        offset  size  field
//          0    16  name                             40     8  mode   octal
//         16    12  mtime  decimal, seconds          48    10  size   decimal
//         28     6  uid    decimal                   58     2  "`\n"
//         34     6  gid    decimal
//
// and its contents, followed by one "\n" when their length is odd.

const MAGIC = "!<arch>\n";

export interface ArMember {
  /** At most 16 characters, without the "/" that ends a name in some archives. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** Returns the archive. @param mtime seconds since 1970, of every member */
export function ar(members: readonly ArMember[], mtime: number): Uint8Array<ArrayBuffer> {
  const parts = members.flatMap(({ name, content }) => [
    Buffer.from(header(name, content.length, mtime)),
    content,
    Buffer.from(content.length % 2 === 1 ? "\n" : ""),
  ]);
  return Buffer.concat([Buffer.from(MAGIC), ...parts]);
}

function header(name: string, size: number, mtime: number): string {
  return `${field(name, 16)}${field(mtime, 12)}${field(0, 6)}${field(0, 6)}${field("100644", 8)}${field(size, 10)}\`\n`;
}

function field(value: string | number, size: number): string {
  const text = String(value);
  if (text.length > size) throw new Error(`${text}: more than ${size} characters in an ar header`);
  return text.padEnd(size);
}
