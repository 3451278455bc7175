// Makes the bill of materials of a binary in CycloneDX 1.6 (ECMA-424): the npm packages that the program imports, from
// package-lock.json, the Bun runtime, and the libraries inside it that the runtime reports.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../targets.ts";

const ROOT = join(import.meta.dir, "..", "..");

interface LockEntry {
  readonly version: string;
  /** Subresource integrity, `sha512-<base64>`. */
  readonly integrity: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** Entries of `process.versions` that are versions of interfaces, not of libraries inside the runtime. */
const NOT_LIBRARIES = new Set(["bun", "modules", "napi", "node", "openssl", "typescript", "unicode", "uv", "v8"]);

export interface SbomInput {
  readonly binary: Uint8Array;
  readonly version: string;
  readonly target: Target;
  /** Seconds since 1970. */
  readonly sourceDate: number;
}

/** Returns the bill of materials as JSON; the same input gives the same text. @throws Error if this Bun is not the one of the lock file */
export function sbom({ binary, version, target, sourceDate }: SbomInput, lock: LockFile = lockFile()): string {
  const program = {
    type: "application",
    "bom-ref": `pkg:generic/netcombiner@${version}`,
    name: "netcombiner",
    version,
    purl: `pkg:generic/netcombiner@${version}`,
    licenses: [{ license: { id: "MIT" } }],
    hashes: [{ alg: "SHA-256", content: createHash("sha256").update(binary).digest("hex") }],
  };
  const names = packageNames(lock);
  const libraries = names.map((name) => npmComponent("library", name, lock));
  const runtime = {
    ...npmComponent("platform", target.runtimePackage, lock),
    components: runtimeLibraries(lock, target),
  };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(sourceDate * 1_000).toISOString(),
      component: program,
      properties: [{ name: "netcombiner:target", value: target.name }],
    },
    components: [...libraries, runtime],
    dependencies: [
      { ref: program["bom-ref"], dependsOn: [...libraries, runtime].map((component) => component["bom-ref"]) },
      ...names.map((name) => ({
        ref: npmUrl(name, lock),
        dependsOn: dependenciesOf(name, lock).map((on) => npmUrl(on, lock)),
      })),
      { ref: runtime["bom-ref"], dependsOn: runtime.components.map((component) => component["bom-ref"]) },
    ],
  };
  return `${JSON.stringify({ ...document, serialNumber: serialNumber(document) }, undefined, 1)}\n`;
}

function lockFile(): LockFile {
  return JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
}

function entryOf(name: string, { packages }: LockFile): LockEntry {
  const entry = packages[`node_modules/${name}`];
  if (!entry) throw new Error(`package-lock.json does not name ${name}; run npm install`);
  return entry;
}

/** Returns the packages that the program needs at run time, those that they need included, sorted. */
function packageNames(lock: LockFile): string[] {
  const found = new Set<string>();
  const add = (names: readonly string[]) => {
    for (const name of names.filter((candidate) => !found.has(candidate))) {
      found.add(name);
      add(dependenciesOf(name, lock));
    }
  };
  add(Object.keys(lock.packages[""]?.dependencies ?? {}));
  return [...found].sort();
}

function dependenciesOf(name: string, lock: LockFile): string[] {
  return Object.keys(entryOf(name, lock).dependencies ?? {}).sort();
}

/** Returns the package URL (package-url/purl-spec), in which the @ of a scope is encoded. */
function npmUrl(name: string, lock: LockFile): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${entryOf(name, lock).version}`;
}

function npmComponent(type: "library" | "platform", name: string, lock: LockFile) {
  const { version, integrity, license } = entryOf(name, lock);
  const content = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    type,
    "bom-ref": npmUrl(name, lock),
    name,
    version,
    purl: npmUrl(name, lock),
    licenses: [/ /.test(license) ? { expression: license } : { license: { id: license } }],
    hashes: [{ alg: "SHA-512", content }],
  };
}

/** Returns the libraries inside the runtime, as the same version of it on this machine reports them: releases or commits. */
function runtimeLibraries(lock: LockFile, { runtimePackage }: Target) {
  const { version } = entryOf(runtimePackage, lock);
  if (Bun.version !== version) throw new Error(`Bun is ${Bun.version}, package-lock.json says ${version}; run npm ci`);
  const libraries = Object.entries(process.versions).filter(([name]) => !NOT_LIBRARIES.has(name));
  return libraries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, found = ""]) => {
      return { type: "library", "bom-ref": `bun/${name}@${found}`, name, version: found };
    });
}

/** Returns a UUID that is made from the document, so that a rebuild has the same one (RFC 9562, version 8). */
function serialNumber(document: object): string {
  const digest = createHash("sha256").update(JSON.stringify(document)).digest().subarray(0, 16);
  digest[6] = ((digest[6] as number) & 0x0f) | 0x80;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  const hex = digest.toString("hex");
  return `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")}`;
}
