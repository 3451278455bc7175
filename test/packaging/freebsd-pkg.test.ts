// FreeBSD's package, read by a reader of its own and compared with what pkg asks of it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freebsdPackage } from "../../build/packages/freebsd-pkg.ts";
import { readTar } from "./read-tar.ts";
import { INPUT, SOURCE_DATE } from "./stand-in.ts";

const { fileName, bytes } = freebsdPackage({ ...INPUT, architecture: "aarch64" });
const entries = readTar(new Uint8Array(Bun.zstdDecompressSync(new Uint8Array(bytes))));
const manifest = (name: string) =>
  JSON.parse(new TextDecoder().decode(entries.find((entry) => entry.name === name)?.content));
const compact = manifest("+COMPACT_MANIFEST");
const full = manifest("+MANIFEST");
const files = entries.filter(({ name, type }) => name.startsWith("/") && type === "0");
const folders = entries.filter(({ type }) => type === "5");

describe("the package for FreeBSD", () => {
  test("begins with its manifests, then files under absolute names, then folders", () => {
    expect(fileName).toBe("netcombiner-1.2.3-freebsd-aarch64.pkg");
    expect(entries.map(({ name }) => name)).toEqual([
      "+COMPACT_MANIFEST",
      "+MANIFEST",
      ...files.map(({ name }) => name),
      ...folders.map(({ name }) => name),
    ]);
    for (const entry of entries) expect(entry).toMatchObject({ user: "root", group: "wheel", mtime: SOURCE_DATE });
  });

  test("has every key that pkg requires", () => {
    expect(compact).toMatchObject({
      name: "netcombiner",
      origin: "net/netcombiner",
      version: "1.2.3",
      comment: "combines several Internet links into one tunnel",
      abi: "FreeBSD:*:aarch64",
      prefix: "/usr/local",
      flatsize: files.reduce((sum, { size }) => sum + size, 0),
      licenselogic: "single",
      licenses: ["MIT"],
      categories: ["net"],
    });
    for (const key of ["desc", "maintainer", "www"]) expect(compact[key]).toMatch(/\S/);
    expect(full).toMatchObject(compact);
    // Each of these is refused by hosts that are not newer, or not complete.
    for (const key of ["annotations", "shlibs_required", "deps"]) expect(full).not.toContainKey(key);
  });

  test("names each file with its sum, and its folders", () => {
    const sums = files.map(({ name, content }) => [name, `1$${createHash("sha256").update(content).digest("hex")}`]);
    expect(full.files).toEqual(Object.fromEntries(sums));
    expect(folders.map(({ name }) => name.replace(/\/$/, "")).sort()).toEqual(Object.keys(full.directories).sort());
    expect(folders.find(({ name }) => name === "/usr/local/etc/netcombiner/")?.mode).toBe(0o700);
  });

  test("brings the program untouched, its script and a sample, but no configuration", () => {
    const mode = (name: string) => files.find((entry) => entry.name === name)?.mode;
    expect(files.find(({ name }) => name === "/usr/local/bin/netcombiner")?.content).toEqual(
      new Uint8Array(INPUT.binary),
    );
    expect(mode("/usr/local/bin/netcombiner")).toBe(0o755);
    expect(mode("/usr/local/etc/rc.d/netcombiner")).toBe(0o555);
    expect(files.filter(({ name }) => name.startsWith("/usr/local/etc/netcombiner/")).map(({ name }) => name)).toEqual([
      "/usr/local/etc/netcombiner/netcombiner.conf.sample",
    ]);
  });

  test("leaves no bare % for pkg to decode", () => {
    const decoded = [full.desc, ...Object.values(full.scripts as Record<string, string>)];
    for (const text of decoded) expect(text).not.toMatch(/%(?!25)/);
    expect(decodeURIComponent(full.scripts["pre-deinstall"])).toContain("interface%.*");
  });

  test("is the same bytes again", () => {
    expect(freebsdPackage({ ...INPUT, architecture: "aarch64" }).bytes).toEqual(bytes);
  });
});

describe.skipIf(Bun.which("bsdtar") === null)("bsdtar", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nc-pkg-"));
    writeFileSync(join(folder, fileName), bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("sees what pkg, which reads with the same library, would see", () => {
    const result = Bun.spawnSync(["bsdtar", "-tvPf", join(folder, fileName)]);
    expect({ exitCode: result.exitCode, stderr: result.stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    const lines = result.stdout.toString().trimEnd().split("\n");
    expect(lines.length).toBe(entries.length);
    expect(lines.find((line) => line.endsWith(" /usr/local/bin/netcombiner"))).toMatch(
      /^-rwxr-xr-x\s+0 root\s+wheel\s+4097 /,
    );
  });
});
