// The bill of materials against the rules of CycloneDX 1.6 (ECMA-424, bom-1.6.schema.json): required fields, patterns, references.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { debianContents } from "../../build/packages/deb.ts";
import { freebsdContents } from "../../build/packages/freebsd-pkg.ts";
import { openwrtContents } from "../../build/packages/openwrt.ts";
import { sbom } from "../../build/packages/sbom.ts";
import { tarballContents } from "../../build/packages/tarball.ts";
import { targetNamed } from "../../build/targets.ts";
import { INPUT, SOURCE_DATE } from "./stand-in.ts";

const TARGET = targetNamed("freebsd-arm64");
const GIVEN = { binary: INPUT.binary, version: "1.2.3", target: TARGET, sourceDate: SOURCE_DATE };
const lock = JSON.parse(readFileSync(join(import.meta.dir, "../../package-lock.json"), "utf8"));

interface Component {
  readonly type: string;
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly licenses?: readonly { license?: { id?: string }; expression?: string }[];
  readonly hashes?: readonly { alg: string; content: string }[];
  readonly components?: readonly Component[];
}

const document = JSON.parse(sbom(GIVEN));
const program: Component = document.metadata.component;
const top: readonly Component[] = document.components;
const all = [program, ...top, ...top.flatMap((component) => component.components ?? [])];

describe("the bill of materials", () => {
  test("has the fields that the format requires", () => {
    expect(document).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    expect(document.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(document.metadata.timestamp).toBe("2026-01-02T03:04:05.000Z");
    const TYPES = ["application", "library", "platform"];
    for (const component of all) {
      expect(TYPES).toContain(component.type);
      expect([component["bom-ref"], component.name, component.version]).not.toContain("");
    }
  });

  test("has hashes, licences and package URLs of the right form", () => {
    const DIGITS: Readonly<Record<string, number>> = { "SHA-256": 64, "SHA-512": 128 };
    for (const { alg, content } of all.flatMap(({ hashes = [] }) => hashes)) {
      expect(content).toMatch(new RegExp(`^[0-9a-f]{${DIGITS[alg]}}$`));
    }
    const licences = all.flatMap(({ licenses = [] }) => licenses);
    for (const { license, expression } of licences) {
      expect([license?.id, expression].filter((found) => found !== undefined)).toHaveLength(1);
    }
    for (const { purl } of [program, ...top]) expect(purl).toMatch(/^pkg:(npm|generic)\/[^@]+@\d+\.\d+\.\d+$/);
  });

  test("names every component once, and all that it depends on", () => {
    const names = all.map((component) => component["bom-ref"]);
    expect(new Set(names).size).toBe(names.length);
    const edges: readonly { ref: string; dependsOn: string[] }[] = document.dependencies;
    expect(edges.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]).filter((name) => !names.includes(name))).toEqual(
      [],
    );
    expect(new Set(edges.map(({ ref }) => ref)).size).toBe(edges.length);
    expect(edges[0]).toEqual({ ref: program["bom-ref"], dependsOn: top.map((component) => component["bom-ref"]) });
  });

  test("lists the packages of the lock file that the program uses, with the runtime of its machine and BoringSSL in it", () => {
    const runtime = top.at(-1);
    expect(top.slice(0, -1).map(({ name }) => name)).toEqual(Object.keys(lock.packages[""].dependencies).sort());
    expect(runtime).toMatchObject({ type: "platform", name: TARGET.runtimePackage, version: Bun.version });
    const integrity = Buffer.from(runtime?.hashes?.[0]?.content ?? "", "hex").toString("base64");
    expect(`sha512-${integrity}`).toBe(lock.packages[`node_modules/${TARGET.runtimePackage}`].integrity);
    expect(runtime?.components?.map(({ name }) => name)).toContain("boringssl");
    expect(program.hashes?.[0]?.content).toBe(createHash("sha256").update(INPUT.binary).digest("hex"));
  });

  test("is the same text again, and another for another binary", () => {
    expect(sbom(GIVEN)).toBe(sbom(GIVEN));
    const other = JSON.parse(sbom({ ...GIVEN, binary: new Uint8Array(1) }));
    expect(other.serialNumber).not.toBe(document.serialNumber);
  });

  test("refuses a runtime that is not the one of the lock file", () => {
    const name = `node_modules/${TARGET.runtimePackage}`;
    const packages = { ...lock.packages, [name]: { ...lock.packages[name], version: "0.0.1" } };
    expect(() => sbom(GIVEN, { ...lock, packages })).toThrow("package-lock.json says 0.0.1; run npm ci");
  });

  test("has the packages that the copyright file of Debian names", () => {
    const copyright = readFileSync(join(import.meta.dir, "../../packaging/debian/copyright"), "utf8");
    const [, named = ""] = /^Copyright: the authors of (@noble.*)$/m.exec(copyright) ?? [];
    expect(named.split(/, | and /)).toEqual(top.slice(0, -1).map(({ name }) => name));
  });

  test("is in every package", () => {
    const tarball = { ...INPUT, target: TARGET.name };
    for (const { files } of [
      debianContents(INPUT),
      openwrtContents(INPUT),
      freebsdContents(INPUT),
      tarballContents(tarball),
    ]) {
      const found = files.filter(({ path }) => path.endsWith("/netcombiner.cdx.json"));
      expect(found.map(({ content }) => new TextDecoder().decode(content))).toEqual([INPUT.sbom]);
    }
  });
});
