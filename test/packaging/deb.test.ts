import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ar } from "../../build/formats/ar.ts";
import { debianPackage } from "../../build/packages/deb.ts";
import { type ReadEntry, readTar } from "./read-tar.ts";
import { INPUT, SOURCE_DATE } from "./stand-in.ts";

const { fileName, bytes } = debianPackage({ ...INPUT, architecture: "arm64" });

/** Members of an ar archive, by deb(5). */
function members(archive: Uint8Array): Record<string, Uint8Array<ArrayBuffer>> {
  const text = (from: number, to: number) => Buffer.from(archive.subarray(from, to)).toString("latin1");
  expect(text(0, 8)).toBe("!<arch>\n");
  const found: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (let at = 8; at < archive.length; ) {
    expect(at % 2).toBe(0);
    expect(text(at + 16, at + 48)).toBe(`${SOURCE_DATE}  0     0     100644  `);
    expect(text(at + 58, at + 60)).toBe("`\n");
    const size = Number(text(at + 48, at + 58));
    found[text(at, at + 16).trimEnd()] = archive.slice(at + 60, at + 60 + size);
    at += 60 + size + (size % 2);
  }
  return found;
}

const parts = members(bytes);
const control = readTar(Bun.gunzipSync(parts["control.tar.gz"]!));
const data = readTar(Bun.zstdDecompressSync(parts["data.tar.zst"]!));

const content = (entries: readonly ReadEntry[], name: string) => {
  const entry = entries.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`no ${name}`);
  return entry.content;
};
const text = (entries: readonly ReadEntry[], name: string) => new TextDecoder().decode(content(entries, name));

describe("ar", () => {
  test("pads members of odd length", () => {
    const archive = ar(
      [
        { name: "a", content: new Uint8Array([65]) },
        { name: "b", content: new Uint8Array(0) },
      ],
      7,
    );
    const pad = (word: string, size: number) => word.padEnd(size);
    const header = (name: string, size: string) =>
      `${pad(name, 16)}${pad("7", 12)}${pad("0", 6)}${pad("0", 6)}${pad("100644", 8)}${pad(size, 10)}\`\n`;
    expect(archive.toString()).toBe(`!<arch>\n${header("a", "1")}A\n${header("b", "0")}`);
  });

  test("refuses a name that does not fit", () => {
    expect(() => ar([{ name: "seventeen letters", content: new Uint8Array(0) }], 0)).toThrow("more than 16");
  });
});

describe("the Debian package", () => {
  test("has the three members of the format, in order", () => {
    expect(fileName).toBe("netcombiner_1.2.3_arm64.deb");
    expect(Object.keys(parts)).toEqual(["debian-binary", "control.tar.gz", "data.tar.zst"]);
    expect(new TextDecoder().decode(parts["debian-binary"])).toBe("2.0\n");
  });

  test("tells dpkg what it needs to know", () => {
    const lines = text(control, "./control").split("\n");
    const size = data.reduce((sum, entry) => sum + entry.size, 0);
    expect(lines.slice(0, 10)).toEqual([
      "Package: netcombiner",
      "Version: 1.2.3",
      "Architecture: arm64",
      "Maintainer: netcombiner contributors <maintainers@netcombiner.invalid>",
      `Installed-Size: ${Math.ceil(size / 1024)}`,
      "Depends: libc6 (>= 2.17)",
      "Recommends: iproute2, libssl3 | libssl3t64, nftables, procps",
      "Section: net",
      "Priority: optional",
      "Description: combines several Internet links into one tunnel",
    ]);
    expect(lines.slice(10).every((line) => line === "" || /^ \S.{0,78}$/.test(line))).toBe(true);
    expect(lines.at(-1)).toBe("");
  });

  test("holds everything under root's name, with one time, folders before what is in them", () => {
    for (const entry of [...control, ...data]) {
      expect(entry).toMatchObject({ user: "root", group: "root", mtime: SOURCE_DATE });
      expect(entry.name).toStartWith("./");
    }
    const names = data.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    names.forEach((name, i) => {
      const parent = name.replace(/[^/]+\/?$/, "");
      if (parent !== "") expect(names.slice(0, i)).toContain(parent);
    });
  });

  test("brings the program untouched, the unit and the documents, and no configuration", () => {
    expect(content(data, "./usr/bin/netcombiner")).toEqual(new Uint8Array(INPUT.binary));
    expect(data.find(({ name }) => name === "./usr/bin/netcombiner")?.mode).toBe(0o755);
    expect(text(data, "./usr/lib/systemd/system/netcombiner@.service")).toContain("\nType=notify\n");
    expect(text(data, "./usr/share/doc/netcombiner/copyright")).toContain("License: Expat");
    expect(data.filter(({ name }) => name.startsWith("./etc/"))).toMatchObject([
      { name: "./etc/", type: "5", mode: 0o755 },
      { name: "./etc/netcombiner/", type: "5", mode: 0o700 },
    ]);
  });

  test("has the sum of every file", () => {
    const files = data.filter(({ type }) => type === "0");
    const sums = files.map(
      (entry) => `${createHash("md5").update(entry.content).digest("hex")}  ${entry.name.slice(2)}`,
    );
    expect(text(control, "./md5sums").trimEnd().split("\n").sort()).toEqual(sums.sort());
  });

  test("runs scripts that stop at the first error", () => {
    const scripts = control.filter(({ mode, type }) => type === "0" && mode === 0o755);
    expect(scripts.map(({ name }) => name)).toEqual(["./postinst", "./prerm", "./postrm"]);
    for (const { name } of scripts) expect(text(control, name)).toMatch(/^#!\/bin\/sh\n(#.*\n)*set -e\n/);
  });

  test("is the same bytes again", () => {
    expect(debianPackage({ ...INPUT, architecture: "arm64" }).bytes).toEqual(bytes);
  });
});

describe.skipIf(Bun.which("dpkg-deb") === null)("dpkg-deb", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nc-deb-"));
    writeFileSync(join(folder, fileName), bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const dpkgDeb = (option: string) => {
    const result = Bun.spawnSync(["dpkg-deb", option, join(folder, fileName)], { env: { ...process.env, TZ: "UTC" } });
    expect({ exitCode: result.exitCode, stderr: result.stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    return result.stdout.toString();
  };

  test("reads it as a package", () => {
    expect(dpkgDeb("-I")).toContain("\n Package: netcombiner\n Version: 1.2.3\n Architecture: arm64\n");
  });

  test("sees its files", () => {
    const listing = dpkgDeb("-c");
    expect(listing).toContain("-rwxr-xr-x root/root      4097 2026-01-02 03:04 ./usr/bin/netcombiner\n");
    expect(listing).toContain("drwx------ root/root         0 2026-01-02 03:04 ./etc/netcombiner/\n");
  });
});
