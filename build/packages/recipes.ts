// Lists the packages that are made, and the target whose binary each contains.

import { TARGETS, type Target, targetNamed } from "../targets.ts";
import type { BuiltPackage, PackageInput } from "./contents.ts";
import { debianPackage } from "./deb.ts";
import { freebsdPackage } from "./freebsd-pkg.ts";
import { apk, ipk, ipkData } from "./openwrt.ts";
import { tarball } from "./tarball.ts";

export interface Recipe {
  readonly format: "deb" | "ipk" | "apk" | "pkg" | "tar.gz";
  readonly target: Target;
  readonly make: (input: PackageInput) => BuiltPackage[];
}

/** OpenWrt's names of processors, by the binary that they run (openwrt.org, table of hardware). */
const OPENWRT: Readonly<Record<string, readonly string[]>> = {
  "linux-x64-musl": ["x86_64"],
  "linux-arm64-musl": ["aarch64_cortex-a53", "aarch64_cortex-a72", "aarch64_cortex-a76", "aarch64_generic"],
};

function debian(target: string, architecture: "amd64" | "arm64"): Recipe {
  return {
    format: "deb",
    target: targetNamed(target),
    make: (input) => [debianPackage({ ...input, architecture })],
  };
}

function freebsd(target: string, architecture: "amd64" | "aarch64"): Recipe {
  return {
    format: "pkg",
    target: targetNamed(target),
    make: (input) => [freebsdPackage({ ...input, architecture })],
  };
}

function openwrt([target, architectures]: [string, readonly string[]]): Recipe[] {
  return [
    {
      format: "ipk",
      target: targetNamed(target),
      make(input) {
        const data = ipkData(input);
        return architectures.map((architecture) => ipk({ ...input, architecture }, data));
      },
    },
    {
      format: "apk",
      target: targetNamed(target),
      make: (input) => architectures.map((architecture) => apk({ ...input, architecture })),
    },
  ];
}

function archive(target: Target): Recipe {
  return { format: "tar.gz", target, make: (input) => [tarball({ ...input, target: target.name })] };
}

export const RECIPES: readonly Recipe[] = [
  debian("linux-x64", "amd64"),
  debian("linux-arm64", "arm64"),
  ...Object.entries(OPENWRT).flatMap(openwrt),
  freebsd("freebsd-x64", "amd64"),
  freebsd("freebsd-arm64", "aarch64"),
  ...TARGETS.map(archive),
];

export const FORMATS: readonly string[] = [...new Set(RECIPES.map(({ format }) => format))];
