// Makes a Debian package (deb(5), deb-control(5)): an ar archive of a version number, the control files and the installed files.

import { createHash } from "node:crypto";
import { ar } from "../formats/ar.ts";
import { type TarEntry, tar } from "../formats/tar.ts";
import {
  type BuiltPackage,
  bytesOf,
  type Contents,
  DESCRIPTION,
  documents,
  file,
  gzip,
  installedSize,
  MAINTAINER,
  manuals,
  type PackageInput,
  SUMMARY,
  source,
  sourceText,
  zstd,
} from "./contents.ts";
import { byPath, treeEntries } from "./tree.ts";
import { packageVersions } from "./versions.ts";

const MAINTAINER_SCRIPTS = ["postinst", "prerm", "postrm"] as const;
const DOC = "/usr/share/doc/netcombiner";

export interface DebianInput extends PackageInput {
  readonly architecture: "amd64" | "arm64";
}

export function debianContents(input: PackageInput): Contents {
  return {
    files: [
      file("/usr/bin/netcombiner", input.binary, 0o755),
      file("/usr/lib/systemd/system/netcombiner@.service", source("packaging/systemd/netcombiner@.service")),
      file("/usr/share/lintian/overrides/netcombiner", source("packaging/debian/lintian-overrides")),
      file(`${DOC}/copyright`, source("packaging/debian/copyright")),
      file(`${DOC}/changelog.gz`, gzip(bytesOf(changelog(input)))),
      ...documents(DOC, input),
      ...manuals({
        man: "/usr/share/man",
        bash: "/usr/share/bash-completion/completions",
        zsh: "/usr/share/zsh/vendor-completions",
        fish: "/usr/share/fish/vendor_completions.d",
      }),
    ],
    // Keys and configurations belong to the user: no package ships or removes them.
    folders: [{ path: "/etc/netcombiner", mode: 0o700 }],
  };
}

export function debianPackage(input: DebianInput): BuiltPackage {
  const contents = debianContents(input);
  const version = packageVersions(input.version).debian;
  const archived = { mtime: input.sourceDate };
  const control = tar(controlEntries(contents, version, input.architecture), archived);
  const data = tar(treeEntries(contents, "./"), archived);
  const members = [
    { name: "debian-binary", content: bytesOf("2.0\n") },
    { name: "control.tar.gz", content: gzip(control) },
    // dpkg reads zstd since 1.21.18, that of Debian 12.
    { name: "data.tar.zst", content: zstd(data, input.compression) },
  ];
  return { fileName: `netcombiner_${version}_${input.architecture}.deb`, bytes: ar(members, input.sourceDate) };
}

function controlEntries(contents: Contents, version: string, architecture: string): TarEntry[] {
  const scripts = MAINTAINER_SCRIPTS.map((name): TarEntry => {
    return { type: "file", name: `./${name}`, mode: 0o755, content: source(`packaging/debian/${name}`) };
  });
  return [
    { type: "directory", name: "./", mode: 0o755 },
    {
      type: "file",
      name: "./control",
      mode: 0o644,
      content: bytesOf(sourceText("packaging/debian/control", controlValues(contents, version, architecture))),
    },
    { type: "file", name: "./md5sums", mode: 0o644, content: bytesOf(md5sums(contents)) },
    ...scripts,
  ];
}

function controlValues(contents: Contents, version: string, architecture: string): Record<string, string> {
  return {
    VERSION: version,
    ARCHITECTURE: architecture,
    MAINTAINER,
    INSTALLED_KIB: String(Math.ceil(installedSize(contents) / 1024)),
    SUMMARY,
    DESCRIPTION: DESCRIPTION.map((line) => ` ${line}`).join("\n"),
  };
}

function md5sums({ files }: Contents): string {
  return [...files]
    .sort(byPath)
    .map(({ path, content }) => `${createHash("md5").update(content).digest("hex")}  ${path.slice(1)}\n`)
    .join("");
}

/** Returns a changelog in Debian's format with one entry, which refers to CHANGELOG.md beside it. */
function changelog({ version, sourceDate }: PackageInput): string {
  const date = new Date(sourceDate * 1_000).toUTCString().replace("GMT", "+0000");
  return [
    `netcombiner (${packageVersions(version).debian}) stable; urgency=medium`,
    "  * See CHANGELOG.md for the changes.",
    ` -- ${MAINTAINER}  ${date}\n`,
  ].join("\n\n");
}
