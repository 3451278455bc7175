// Makes a package for FreeBSD's pkg(8): a tar archive, compressed with zstd, of two manifests (JSON is UCL) and of the files under
// their absolute names. Keys: pkg-create(8), MANIFEST FILE DETAILS.

import { createHash } from "node:crypto";
import { posix } from "node:path";
import { type TarEntry, tar } from "../formats/tar.ts";
import {
  type BuiltPackage,
  bytesOf,
  type Contents,
  DESCRIPTION,
  documents,
  file,
  type InstalledFile,
  installedSize,
  MAINTAINER,
  manuals,
  type PackageInput,
  SUMMARY,
  source,
  sourceText,
  zstd,
} from "./contents.ts";
import { byPath } from "./tree.ts";
import { packageVersions } from "./versions.ts";

const PREFIX = "/usr/local";
const OWNER = { user: "root", group: "wheel" };
const SCRIPTS = ["pre-deinstall"] as const;

const MESSAGE = `To set up a tunnel, copy ${PREFIX}/etc/netcombiner/netcombiner.conf.sample to nc0.conf beside it, edit it, then:

    chmod 600 ${PREFIX}/etc/netcombiner/nc0.conf
    netcombiner check nc0
    sysrc netcombiner_enable=YES netcombiner_interfaces=nc0
    service netcombiner start
`;
const UPGRADE_MESSAGE = "Running tunnels keep the older program until: service netcombiner restart\n";

export interface FreebsdInput extends PackageInput {
  /** FreeBSD's name of the processor. */
  readonly architecture: "amd64" | "aarch64";
}

export function freebsdContents(input: PackageInput): Contents {
  return {
    files: [
      file(`${PREFIX}/bin/netcombiner`, input.binary, 0o755),
      file(`${PREFIX}/etc/rc.d/netcombiner`, source("packaging/freebsd/netcombiner.rc"), 0o555),
      file(`${PREFIX}/etc/netcombiner/netcombiner.conf.sample`, source("packaging/netcombiner.conf.example")),
      file(`${PREFIX}/share/licenses/netcombiner/MIT`, source("LICENSE")),
      ...documents(`${PREFIX}/share/doc/netcombiner`, input),
      ...manuals({
        man: `${PREFIX}/share/man`,
        bash: `${PREFIX}/share/bash-completion/completions`,
        zsh: `${PREFIX}/share/zsh/site-functions`,
        fish: `${PREFIX}/share/fish/vendor_completions.d`,
      }),
    ],
    folders: [{ path: `${PREFIX}/etc/netcombiner`, mode: 0o700 }],
  };
}

export function freebsdPackage(input: FreebsdInput): BuiltPackage {
  const contents = freebsdContents(input);
  const version = packageVersions(input.version).freebsd;
  const compact = compactManifest(contents, version, input.architecture);
  const entries: TarEntry[] = [
    manifestEntry("+COMPACT_MANIFEST", compact),
    manifestEntry("+MANIFEST", { ...compact, ...manifestOfFiles(contents) }),
    ...[...contents.files].sort(byPath).map(fileEntry),
    ...ownFolders(contents).map(({ path, mode }): TarEntry => ({ type: "directory", name: `${path}/`, mode })),
  ];
  const archive = tar(entries, { mtime: input.sourceDate, owner: OWNER });
  return {
    // pkg does not need the processor in the name, but the files of both must differ.
    fileName: `netcombiner-${version}-freebsd-${input.architecture}.pkg`,
    bytes: zstd(archive, input.compression),
  };
}

function manifestEntry(name: string, manifest: object): TarEntry {
  return { type: "file", name, mode: 0o644, content: bytesOf(JSON.stringify(manifest)) };
}

function fileEntry({ path, mode, content }: InstalledFile): TarEntry {
  return { type: "file", name: path, mode, content };
}

/** Returns the part that both manifests share, by which pkg chooses and compares packages. */
function compactManifest(contents: Contents, version: string, architecture: string) {
  return {
    name: "netcombiner",
    origin: "net/netcombiner",
    version,
    comment: SUMMARY,
    maintainer: MAINTAINER.replace(/^.*<(.*)>$/, "$1"),
    // Required; UNKNOWN stands for no home page.
    www: "UNKNOWN",
    // Any release is accepted: the program needs symbols that FreeBSD 14 has.
    abi: `FreeBSD:*:${architecture}`,
    prefix: PREFIX,
    flatsize: installedSize(contents),
    licenselogic: "single",
    licenses: ["MIT"],
    desc: escaped(DESCRIPTION.join("\n")),
    categories: ["net"],
    messages: [
      { message: MESSAGE, type: "install" },
      { message: UPGRADE_MESSAGE, type: "upgrade" },
    ],
  };
}

function manifestOfFiles(contents: Contents) {
  const sums = contents.files.map(({ path, content }) => [
    path,
    `1$${createHash("sha256").update(content).digest("hex")}`,
  ]);
  return {
    files: Object.fromEntries(sums),
    directories: Object.fromEntries(ownFolders(contents).map(({ path }) => [path, "y"])),
    scripts: Object.fromEntries(SCRIPTS.map((name) => [name, escaped(sourceText(`packaging/freebsd/${name}`))])),
  };
}

/** Escapes text that pkg decodes like a URL. */
function escaped(text: string): string {
  return text.replaceAll("%", "%25");
}

/** Returns the folders that belong to the package, inner ones first. */
function ownFolders({ files, folders }: Contents): { readonly path: string; readonly mode: number }[] {
  const modes = new Map(folders.map(({ path, mode }) => [path, mode]));
  const all = [...files.map(({ path }) => posix.dirname(path)), ...modes.keys()];
  const own = [...new Set(all)].filter(
    (path) => posix.basename(path) === "netcombiner" || path.includes("/netcombiner/"),
  );
  return own
    .sort()
    .reverse()
    .map((path) => ({ path, mode: modes.get(path) ?? 0o755 }));
}
