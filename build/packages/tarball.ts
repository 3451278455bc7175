// Makes a plain archive for machines without a package: one folder with the program, its documents and every service script.

import { tar } from "../formats/tar.ts";
import {
  type BuiltPackage,
  type Contents,
  documents,
  file,
  gzip,
  manuals,
  type PackageInput,
  source,
  sourceText,
} from "./contents.ts";
import { openwrtKeys } from "./openwrt-keys.ts";
import { treeEntries } from "./tree.ts";

export interface TarballInput extends PackageInput {
  /** Name of the target, as in `targets.ts`. */
  readonly target: string;
}

export function tarballContents(input: TarballInput): Contents {
  const { binary, version, target } = input;
  const root = `/netcombiner-${version}-${target}`;
  const services = [
    file(`${root}/service/systemd/netcombiner@.service`, source("packaging/systemd/netcombiner@.service")),
    file(`${root}/service/freebsd/netcombiner`, source("packaging/freebsd/netcombiner.rc"), 0o755),
    file(`${root}/service/openwrt/netcombiner`, sourceText("packaging/openwrt/netcombiner.init", openwrtKeys()), 0o755),
    file(`${root}/service/openwrt/netcombiner.config`, source("packaging/openwrt/netcombiner.config")),
  ];
  return {
    files: [
      file(`${root}/netcombiner`, binary, 0o755),
      file(`${root}/LICENSE`, source("LICENSE")),
      ...documents(root, input, "netcombiner.conf.example"),
      ...services,
      ...manuals({
        man: `${root}/man`,
        bash: `${root}/completions/bash`,
        zsh: `${root}/completions/zsh`,
        fish: `${root}/completions/fish`,
      }),
    ],
    folders: [],
  };
}

export function tarball(input: TarballInput): BuiltPackage {
  const archive = tar(treeEntries(tarballContents(input), ""), { mtime: input.sourceDate });
  return {
    // Every system unpacks gzip without further programs.
    fileName: `netcombiner-${input.version}-${input.target}.tar.gz`,
    bytes: gzip(archive, input.compression),
  };
}
