// Makes packages for OpenWrt: .ipk for opkg (up to 24.10), .apk for apk (from 25.12). The program needs the libstdc++ of GCC 12 for musl,
// which OpenWrt 23.05 and newer have. The format of opkg is that of OpenWrt's scripts/ipkg-build; both have the scripts of its package-pack.mk.

import { createHash } from "node:crypto";
import { posix } from "node:path";
import {
  type AdbData,
  type AdbObject,
  type AdbValue,
  adbDatabase,
  adbPackage,
  PACKAGE_SCHEMA,
} from "../formats/adb.ts";
import { type TarEntry, tar } from "../formats/tar.ts";
import { apkSignature } from "../signing/signatures.ts";
import {
  type BuiltPackage,
  bytesOf,
  type Compression,
  type Contents,
  DESCRIPTION,
  file,
  gzip,
  type InstalledFile,
  installedSize,
  MAINTAINER,
  type PackageInput,
  SBOM_NAME,
  SUMMARY,
  source,
  sourceText,
} from "./contents.ts";
import { openwrtKeys } from "./openwrt-keys.ts";
import { byPath, directoriesOf, treeEntries } from "./tree.ts";
import { packageVersions } from "./versions.ts";

const NAME = "netcombiner";
const DEPENDS = ["kmod-tun", "libc", "libstdcpp6"];
const CONFIGURATION = "/etc/config/netcombiner";

export interface OpenwrtInput extends PackageInput {
  /** OpenWrt's name of the processor, as in `/etc/openwrt_release`. */
  readonly architecture: string;
}

export function openwrtContents({ binary, sbom }: PackageInput): Contents {
  return {
    files: [
      file("/usr/bin/netcombiner", binary, 0o755),
      file("/etc/init.d/netcombiner", sourceText("packaging/openwrt/netcombiner.init", openwrtKeys()), 0o755),
      { ...file(CONFIGURATION, source("packaging/openwrt/netcombiner.config"), 0o600), isConfiguration: true },
      // Lists what an upgrade of the whole system keeps besides /etc/config.
      file("/lib/upgrade/keep.d/netcombiner", "/etc/netcombiner/\n"),
      file(`/usr/share/netcombiner/${SBOM_NAME}`, sbom),
    ],
    folders: [],
  };
}

/** Packs the files of opkg's package, which are the same for every processor that runs the same program. */
export function ipkData(input: PackageInput): Uint8Array {
  return gzip(tar(treeEntries(openwrtContents(input), "./"), { mtime: input.sourceDate }), input.compression);
}

/** Returns the package for opkg. @param data result of `ipkData` for the same input */
export function ipk(input: OpenwrtInput, data: Uint8Array): BuiltPackage {
  const archived = { mtime: input.sourceDate };
  const version = packageVersions(input.version).ipk;
  const control = gzip(tar(ipkControl(input, version), archived), input.compression);
  const member = (name: string, content: Uint8Array): TarEntry => ({ type: "file", name, mode: 0o644, content });
  const outer = tar(
    [member("./debian-binary", bytesOf("2.0\n")), member("./data.tar.gz", data), member("./control.tar.gz", control)],
    archived,
  );
  // The contents are compressed already.
  return { fileName: `${NAME}_${version}_${input.architecture}.ipk`, bytes: gzip(outer, "fast") };
}

function ipkControl(input: OpenwrtInput, version: string): TarEntry[] {
  const contents = openwrtContents(input);
  const control = sourceText("packaging/openwrt/control", {
    VERSION: version,
    DEPENDS: DEPENDS.join(", "),
    SOURCE_DATE: String(input.sourceDate),
    MAINTAINER,
    ARCHITECTURE: input.architecture,
    INSTALLED_SIZE: String(installedSize(contents)),
    DESCRIPTION: DESCRIPTION.map((line) => ` ${line}`).join("\n"),
  });
  const conffiles = contents.files.filter(({ isConfiguration }) => isConfiguration).map(({ path }) => `${path}\n`);
  const entry = (name: string, mode: number, content: Uint8Array): TarEntry => ({ type: "file", name, mode, content });
  return [
    { type: "directory", name: "./", mode: 0o755 },
    entry("./control", 0o644, bytesOf(control)),
    entry("./conffiles", 0o644, bytesOf(conffiles.join(""))),
    entry("./postinst", 0o755, source("packaging/openwrt/ipk-postinst")),
    entry("./prerm", 0o755, source("packaging/openwrt/ipk-prerm")),
  ];
}

/** Returns the package for apk. */
export function apk(input: OpenwrtInput): BuiltPackage {
  const version = packageVersions(input.version).apk;
  const contents = withLists(openwrtContents(input));
  const folders = foldersOf(contents);
  const info = (id: Uint8Array) => packageInfo(input, version, contents, id);
  const database = (id: Uint8Array) =>
    adbDatabase({ fields: { 1: info(id), 2: folderList(folders, input), 3: scripts() } });
  // The identity of a package is the hash of its description, in which the identity itself is all zeros.
  const unknown = new Uint8Array(ID_SIZE);
  const id = createHash("sha256").update(database(unknown)).digest().subarray(0, ID_SIZE);
  const signed = database(id);
  const signatures = input.key ? [apkSignature(PACKAGE_SCHEMA, signed, input.key)] : [];
  const raw = adbPackage(signed, dataOf(folders), signatures);
  return {
    fileName: `${NAME}-${version}_${input.architecture}.apk`,
    bytes: Buffer.concat([Buffer.from("ADBd"), deflate(raw, input.compression)]),
  };
}

const ID_SIZE = 20;

function deflate(raw: Uint8Array<ArrayBuffer>, compression: Compression): Uint8Array {
  return Bun.deflateSync(raw, { level: compression === "smallest" ? 12 : 1, library: "libdeflate" });
}

/** Adds the lists that OpenWrt keeps beside each package, by which it finds init scripts and changed files. */
function withLists({ files, folders }: Contents): Contents {
  const configurations = files.filter(({ isConfiguration }) => isConfiguration);
  const place = `/lib/apk/packages/${NAME}`;
  const lists = [
    file(`${place}.conffiles`, configurations.map(({ path }) => `${path}\n`).join("")),
    file(
      `${place}.conffiles_static`,
      configurations.map((one) => `${one.path} ${sha256(one).toString("hex")}\n`).join(""),
    ),
  ];
  const listed = [...files, ...lists].map(({ path }) => path);
  return { files: [...files, ...lists, file(`${place}.list`, `${listed.sort().join("\n")}\n`)], folders };
}

interface Folder {
  readonly path: string;
  readonly files: readonly InstalledFile[];
}

function foldersOf(contents: Contents): Folder[] {
  return directoriesOf(contents).map((path) => {
    return { path, files: contents.files.filter((one) => posix.dirname(one.path) === path).sort(byPath) };
  });
}

function packageInfo(input: OpenwrtInput, version: string, contents: Contents, id: Uint8Array): AdbObject {
  return {
    fields: {
      1: NAME,
      2: version,
      3: id,
      4: SUMMARY,
      5: input.architecture,
      6: "MIT",
      7: NAME,
      8: MAINTAINER,
      11: input.sourceDate,
      12: installedSize(contents),
      15: DEPENDS.map((name) => ({ fields: { 1: name } })),
    },
  };
}

function folderList(folders: readonly Folder[], { sourceDate }: PackageInput): AdbValue {
  return folders.map(({ path, files }) => {
    const list = files.map((one) => ({
      fields: {
        1: posix.basename(one.path),
        2: acl(one.mode),
        3: one.content.length,
        4: sourceDate,
        5: new Uint8Array(sha256(one)),
      },
    }));
    return { fields: { 1: path.slice(1), 2: acl(0o755), 3: list.length > 0 ? list : undefined } };
  });
}

function acl(mode: number): AdbObject {
  return { fields: { 1: mode, 2: "root", 3: "root" } };
}

function scripts(): AdbObject {
  const script = (name: string) => source(`packaging/openwrt/apk-${name}`);
  return { fields: { 3: script("post-install"), 4: script("pre-deinstall"), 7: script("post-upgrade") } };
}

/** Returns the contents of files; an empty file has none. */
function dataOf(folders: readonly Folder[]): AdbData[] {
  return folders.flatMap(({ files }, i) =>
    files
      .map(({ content }, j) => ({ folder: i + 1, file: j + 1, content }))
      .filter(({ content }) => content.length > 0),
  );
}

function sha256({ content }: InstalledFile): Buffer {
  return createHash("sha256").update(content).digest();
}
