// npm run package [-- [--only <format>]... [--outdir <folder>]]     formats: deb
//
// Packages for every system and machine, in dist/packages, with their checksums and a table of their sizes. Needs none of
// the systems' own tools; the same commit gives the same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import type { BuiltPackage, PackageInput } from "./packages/contents.ts";
import { debianPackage } from "./packages/deb.ts";
import { sourceDate } from "./packages/source-date.ts";
import { type Target, targetNamed } from "./targets.ts";
import { buildVersion } from "./version.ts";

const ROOT = join(import.meta.dir, "..");

interface Recipe {
  readonly format: string;
  readonly target: Target;
  readonly make: (input: PackageInput) => BuiltPackage;
}

const RECIPES: readonly Recipe[] = [
  {
    format: "deb",
    target: targetNamed("linux-x64"),
    make: (input) => debianPackage({ ...input, architecture: "amd64" }),
  },
  {
    format: "deb",
    target: targetNamed("linux-arm64"),
    make: (input) => debianPackage({ ...input, architecture: "arm64" }),
  },
];

const FORMATS = [...new Set(RECIPES.map(({ format }) => format))];

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: FORMATS },
      outdir: { type: "string", default: join(ROOT, "dist", "packages") },
    },
  });
  const unknown = values.only.find((format) => !FORMATS.includes(format));
  if (unknown !== undefined) throw new Error(`no such format: ${unknown} (known: ${FORMATS.join(", ")})`);
  return { formats: values.only, outdir: resolve(values.outdir) };
}

function compiled(one: Target): Uint8Array {
  const outfile = join(ROOT, "dist", `netcombiner-${one.name}`);
  compile({ entry: join(ROOT, "src", "main.ts"), outfile, version: buildVersion(), target: one });
  return readFileSync(outfile);
}

function main(args: string[]): void {
  const { formats, outdir } = parse(args);
  const recipes = RECIPES.filter(({ format }) => formats.includes(format));
  const { version } = buildVersion();
  // A package of an older version must not be taken for one of this.
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const sums: string[] = [];
  for (const one of new Set(recipes.map((recipe) => recipe.target))) {
    const binary = compiled(one);
    for (const recipe of recipes.filter((candidate) => candidate.target === one)) {
      const { fileName, bytes } = recipe.make({ binary, version, sourceDate: sourceDate(), compression: "smallest" });
      writeFileSync(join(outdir, fileName), bytes);
      sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${fileName}\n`);
      const path = relative(process.cwd(), join(outdir, fileName));
      console.log(`${path.padEnd(64)} ${megabytes(bytes.length)}, unpacked ${megabytes(binary.length)}`);
    }
  }
  writeFileSync(join(outdir, "SHA256SUMS"), sums.join(""));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(6)} MB`;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`package: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
