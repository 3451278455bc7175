// Writes a tar archive (POSIX.1-1988 ustar), which dpkg, opkg, pkg and every tar read. It is reproducible: the caller sets owner and time.
//
//     offset  size  field                        offset  size  field
//          0   100  name                            257     6  "ustar\0"
//        100     8  mode       octal                263     2  version "00"
//        108     8  uid        octal                265    32  uname
//        116     8  gid        octal                297    32  gname
//        124    12  size       octal                329     8  devmajor  octal
//        136    12  mtime      octal, seconds       337     8  devminor  octal
//        148     8  checksum   octal "dddddd\0 "    345   155  prefix, put before name with a "/"
//        156     1  typeflag   0 file, 2 symlink, 5 directory
//        157   100  linkname
//
// Each header fills a block of 512 bytes, contents are padded with zeros to whole blocks, two zero blocks end the archive.

const BLOCK = 512;
const NAME_SIZE = 100;
const PREFIX_SIZE = 155;
/** Largest size of a file in eleven octal digits, bytes. */
const SIZE_MAX = 8 ** 11 - 1;

const TYPE_FLAG = { file: "0", symlink: "2", directory: "5" } as const;

export interface TarFile {
  readonly type: "file";
  /** Name as stored in the archive: relative, absolute or with "./", as the format around it requires. */
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

export interface TarDirectory {
  readonly type: "directory";
  /** Ends with "/". */
  readonly name: string;
  readonly mode: number;
}

export interface TarSymlink {
  readonly type: "symlink";
  readonly name: string;
  readonly target: string;
}

export type TarEntry = TarFile | TarDirectory | TarSymlink;

export interface TarOptions {
  /** Seconds since 1970, of every entry. */
  readonly mtime: number;
  readonly owner?: { readonly user: string; readonly group: string };
}

/** Returns the archive. @throws Error for a name or a size that the format cannot hold */
export function tar(entries: readonly TarEntry[], options: TarOptions): Uint8Array<ArrayBuffer> {
  const parts = entries.flatMap((entry) => {
    const content = entry.type === "file" ? entry.content : new Uint8Array(0);
    return [header(entry, content.length, options), content, new Uint8Array(-content.length & (BLOCK - 1))];
  });
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]);
}

function header(entry: TarEntry, size: number, { mtime, owner }: TarOptions): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const { prefix, name } = splitName(entry.name);
  const { user, group } = owner ?? { user: "root", group: "root" };
  if (size > SIZE_MAX) throw new Error(`${entry.name}: ${size} bytes are too many for tar`);
  text(block, 0, NAME_SIZE, name);
  octal(block, 100, 8, entry.type === "symlink" ? 0o777 : entry.mode);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  octal(block, 124, 12, size);
  octal(block, 136, 12, mtime);
  text(block, 156, 1, TYPE_FLAG[entry.type]);
  text(block, 157, NAME_SIZE, entry.type === "symlink" ? entry.target : "");
  text(block, 257, 8, "ustar\x0000");
  text(block, 265, 32, user);
  text(block, 297, 32, group);
  octal(block, 329, 8, 0);
  octal(block, 337, 8, 0);
  text(block, 345, PREFIX_SIZE, prefix);
  // The sum is over the header with spaces in the place of the sum.
  text(block, 148, 8, "        ");
  const sum = block.reduce((total, byte) => total + byte, 0);
  text(block, 148, 8, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Splits a long name at a "/", which itself is not stored. */
function splitName(name: string): { prefix: string; name: string } {
  if (Buffer.byteLength(name) <= NAME_SIZE) return { prefix: "", name };
  for (let at = name.indexOf("/", 1); at > 0 && at < name.length - 1; at = name.indexOf("/", at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (Buffer.byteLength(rest) <= NAME_SIZE && Buffer.byteLength(prefix) <= PREFIX_SIZE) return { prefix, name: rest };
  }
  throw new Error(`${name}: too long a name for tar`);
}

function text(block: Buffer, offset: number, size: number, value: string): void {
  const bytes = Buffer.from(value);
  if (bytes.length > size) throw new Error(`${value}: more than ${size} bytes in a tar header`);
  bytes.copy(block, offset);
}

function octal(block: Buffer, offset: number, size: number, value: number): void {
  text(block, offset, size, value.toString(8).padStart(size - 1, "0"));
}
