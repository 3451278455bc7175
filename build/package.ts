// npm run package [-- [--only <format>]... [--outdir <folder>] [--fast]]     formats: deb, ipk, apk, pkg, tar.gz
//
// Makes the packages for every system and machine in dist/packages, with their checksums and a table of their sizes. It needs none
// of the systems' own tools, and the same commit gives the same bytes. It takes some minutes, most of them for compressing; --fast
// compresses less, and the packages are a third larger.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import type { BuiltPackage } from "./packages/contents.ts";
import { FORMATS, RECIPES } from "./packages/recipes.ts";
import type { Target } from "./targets.ts";
import { buildVersion, sourceDate } from "./version.ts";

const ROOT = join(import.meta.dir, "..");

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: [...FORMATS] },
      outdir: { type: "string", default: join(ROOT, "dist", "packages") },
      fast: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((format) => !FORMATS.includes(format));
  if (unknown !== undefined) throw new Error(`no such format: ${unknown} (known: ${FORMATS.join(", ")})`);
  return {
    formats: values.only,
    outdir: resolve(values.outdir),
    compression: values.fast ? ("fast" as const) : ("smallest" as const),
  };
}

function compiled(target: Target): Uint8Array {
  const outfile = join(ROOT, "dist", `netcombiner-${target.name}`);
  compile({ entry: join(ROOT, "src", "main.ts"), outfile, version: buildVersion(), target });
  return readFileSync(outfile);
}

function main(args: string[]): void {
  const { formats, outdir, compression } = parse(args);
  const recipes = RECIPES.filter(({ format }) => formats.includes(format));
  const { version } = buildVersion();
  // Packages of an older version must not be mistaken for those of this one.
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const sums: string[] = [];
  const keep = ({ fileName, bytes }: BuiltPackage, unpacked: number) => {
    writeFileSync(join(outdir, fileName), bytes);
    sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${fileName}\n`);
    console.log(`| ${fileName.padEnd(52)} | ${megabytes(bytes.length)} | ${megabytes(unpacked)} |`);
  };
  console.log(`| ${"package".padEnd(52)} |      MB | program |`);
  console.log(`|${"-".repeat(54)}|--------:|--------:|`);
  for (const target of new Set(recipes.map((recipe) => recipe.target))) {
    const binary = compiled(target);
    const input = { binary, version, sourceDate: sourceDate(), compression };
    for (const recipe of recipes.filter((candidate) => candidate.target === target)) {
      for (const built of recipe.make(input)) keep(built, binary.length);
    }
  }
  writeFileSync(join(outdir, "SHA256SUMS"), sums.sort().join(""));
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1).padStart(7);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`package: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
