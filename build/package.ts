// npm run package [-- [--only <format>]... [--outdir <folder>] [--fast] [--sign <key file>]]     formats: deb, ipk, apk, pkg, tar.gz
// npm run package -- --new-key <key file>
//
// Makes the packages for every system and machine in dist/packages, with their checksums and a table of their sizes. It needs none
// of the systems' own tools, and the same commit gives the same bytes. It takes some minutes, most of them for compressing; --fast
// compresses less, and the packages are a third larger. --sign adds signatures and the public keys; --new-key makes a key for it.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import type { BuiltPackage } from "./packages/contents.ts";
import { FORMATS, RECIPES } from "./packages/recipes.ts";
import { sbom } from "./packages/sbom.ts";
import {
  apkPublicText,
  createReleaseKey,
  publicKeyPaths,
  publicText,
  type ReleaseKey,
  readReleaseKey,
} from "./signing/release-key.ts";
import { signatureFiles } from "./signing/signatures.ts";
import type { Target } from "./targets.ts";
import { buildVersion, sourceDate } from "./version.ts";

const ROOT = join(import.meta.dir, "..");
/** Folder with the public keys of releases. */
const KEYS = join(ROOT, "packaging", "keys");

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: [...FORMATS] },
      outdir: { type: "string", default: join(ROOT, "dist", "packages") },
      fast: { type: "boolean", default: false },
      sign: { type: "string" },
      "new-key": { type: "string" },
    },
  });
  const unknown = values.only.find((format) => !FORMATS.includes(format));
  if (unknown !== undefined) throw new Error(`no such format: ${unknown} (known: ${FORMATS.join(", ")})`);
  return {
    formats: values.only,
    outdir: resolve(values.outdir),
    compression: values.fast ? ("fast" as const) : ("smallest" as const),
    keyFile: values.sign,
    newKey: values["new-key"],
  };
}

function compiled(target: Target): Uint8Array {
  const outfile = join(ROOT, "dist", `netcombiner-${target.name}`);
  compile({ entry: join(ROOT, "src", "main.ts"), outfile, version: buildVersion(), target });
  return readFileSync(outfile);
}

/** Returns the public keys as files, under the names that they have in packaging/keys. */
function publicKeys(key: ReleaseKey): BuiltPackage[] {
  return [
    { fileName: "netcombiner.pub", bytes: Buffer.from(publicText(key)) },
    { fileName: "netcombiner.pem", bytes: Buffer.from(apkPublicText(key)) },
  ];
}

/** Checks the key against the published one. @throws Error if they differ, since nobody could verify the packages */
function checkPublished(key: ReleaseKey): void {
  for (const { fileName, bytes } of publicKeys(key)) {
    const published = join(KEYS, fileName);
    if (existsSync(published) && !readFileSync(published).equals(bytes)) {
      throw new Error(
        `the key is not that of packaging/keys/${fileName}; sign with that key, or publish the new one first`,
      );
    }
  }
}

function main(args: string[]): void {
  const { formats, outdir, compression, keyFile, newKey } = parse(args);
  if (newKey !== undefined) return newReleaseKey(newKey);
  const key = keyFile === undefined ? undefined : readReleaseKey(keyFile);
  if (key) checkPublished(key);
  const recipes = RECIPES.filter(({ format }) => formats.includes(format));
  const { version } = buildVersion();
  const date = sourceDate();
  // Packages of an older version must not be mistaken for those of this one.
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const write = (built: BuiltPackage) => {
    const files = key ? [built, ...signatureFiles(built, key, date)] : [built];
    for (const { fileName, bytes } of files) writeFileSync(join(outdir, fileName), bytes);
  };
  const sums: string[] = [];
  printRow("package", "     MB", "program");
  printRow("---", "------:", "------:");
  for (const target of new Set(recipes.map((recipe) => recipe.target))) {
    const binary = compiled(target);
    const materials = sbom({ binary, version, target, sourceDate: date });
    const input = { binary, version, sourceDate: date, sbom: materials, key, compression };
    for (const recipe of recipes.filter((candidate) => candidate.target === target)) {
      for (const built of recipe.make(input)) {
        write(built);
        sums.push(`${createHash("sha256").update(built.bytes).digest("hex")}  ${built.fileName}\n`);
        printRow(built.fileName, megabytes(built.bytes.length), megabytes(binary.length));
      }
    }
  }
  write({ fileName: "SHA256SUMS", bytes: Buffer.from(sums.sort().join("")) });
  for (const { fileName, bytes } of key ? publicKeys(key) : []) writeFileSync(join(outdir, fileName), bytes);
}

function newReleaseKey(path: string): void {
  createReleaseKey(path);
  const { pub, pem } = publicKeyPaths(path);
  console.log(`wrote the private keys to ${path}: keep a copy offline, and out of the repository`);
  console.log(`wrote the public keys to ${pub} and ${pem}: publish them as packaging/keys/netcombiner.pub and .pem`);
}

function printRow(name: string, size: string, program: string): void {
  console.log(`| ${name.padEnd(52)} | ${size} | ${program} |`);
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
