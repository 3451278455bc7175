// The packages for OpenWrt, read by readers of their own and compared with what opkg and apk ask of them.
import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { apk, ipk, ipkData, openwrtContents } from "../../build/packages/openwrt.ts";
import { ascii, type Read, readApk } from "./read-adb.ts";
import { type ReadEntry, readTar } from "./read-tar.ts";
import { INPUT, SOURCE_DATE } from "./stand-in.ts";

const OPENWRT = { ...INPUT, architecture: "aarch64_cortex-a53" };
const FILES = [
  "/etc/config/netcombiner",
  "/etc/init.d/netcombiner",
  "/lib/upgrade/keep.d/netcombiner",
  "/usr/bin/netcombiner",
  "/usr/share/netcombiner/netcombiner.cdx.json",
];

const text = (entries: readonly ReadEntry[], name: string) =>
  new TextDecoder().decode(entries.find((entry) => entry.name === name)?.content);
const gunzip = (bytes: Uint8Array) => readTar(Bun.gunzipSync(new Uint8Array(bytes)));

describe("the init script in the packages", () => {
  test("knows the keys of the configuration", () => {
    const script = openwrtContents(INPUT).files.find(({ path }) => path === "/etc/init.d/netcombiner");
    expect(new TextDecoder().decode(script?.content)).toMatch(/^HOST_KEYS="(.* )?shared_key:SharedKey( .*)?"$/m);
    expect(new TextDecoder().decode(script?.content)).not.toContain("@");
  });
});

describe("the package for opkg", () => {
  const { fileName, bytes } = ipk(OPENWRT, ipkData(OPENWRT));
  const outer = gunzip(bytes);
  const part = (name: string) => gunzip(outer.find((entry) => entry.name === name)!.content);

  test("is a compressed archive of three members", () => {
    expect(fileName).toBe("netcombiner_1.2.3-r1_aarch64_cortex-a53.ipk");
    expect(outer.map(({ name }) => name)).toEqual(["./debian-binary", "./data.tar.gz", "./control.tar.gz"]);
    expect(text(outer, "./debian-binary")).toBe("2.0\n");
  });

  test("tells opkg what it needs to know", () => {
    const size = openwrtContents(INPUT).files.reduce((sum, { content }) => sum + content.length, 0);
    expect(text(part("./control.tar.gz"), "./control").split("\n").slice(0, 11)).toEqual([
      "Package: netcombiner",
      "Version: 1.2.3-r1",
      "Depends: kmod-tun, libc, libstdcpp6",
      "Source: netcombiner",
      "SourceName: netcombiner",
      "License: MIT",
      "Section: net",
      `SourceDateEpoch: ${SOURCE_DATE}`,
      "Maintainer: netcombiner contributors <maintainers@netcombiner.invalid>",
      "Architecture: aarch64_cortex-a53",
      `Installed-Size: ${size}`,
    ]);
    expect(text(part("./control.tar.gz"), "./control")).toMatch(/\nDescription: \S.*\n( \S.*\n)+$/);
  });

  test("keeps the configuration, and lets OpenWrt do the rest", () => {
    const control = part("./control.tar.gz");
    expect(text(control, "./conffiles")).toBe("/etc/config/netcombiner\n");
    expect(control.filter(({ mode, type }) => type === "0" && mode === 0o755).map(({ name }) => name)).toEqual([
      "./postinst",
      "./prerm",
    ]);
    expect(text(control, "./postinst")).toEndWith('default_postinst "$0" "$@"\n');
    expect(text(control, "./prerm")).toEndWith('default_prerm "$0" "$@"\n');
  });

  test("brings the files", () => {
    const data = part("./data.tar.gz");
    const files = data.filter(({ type }) => type === "0");
    expect(files.map(({ name }) => name.slice(1))).toEqual(FILES);
    expect(files.map(({ mode }) => mode)).toEqual([0o600, 0o755, 0o644, 0o755, 0o644]);
    expect(files.find(({ name }) => name === "./usr/bin/netcombiner")?.content).toEqual(new Uint8Array(INPUT.binary));
    for (const entry of data) expect(entry).toMatchObject({ user: "root", group: "root", mtime: SOURCE_DATE });
    expect(text(data, "./etc/config/netcombiner")).toContain("option enabled '0'");
  });

  test("is the same bytes again", () => {
    expect(ipk(OPENWRT, ipkData(OPENWRT)).bytes).toEqual(bytes);
  });
});

describe("the package for apk", () => {
  const { fileName, bytes } = apk(OPENWRT);
  const { database, root, data } = readApk(bytes);
  const list = (value: Read) => value as Read[];
  const [, info, folders, scripts] = list(root);
  const lists = { conffiles: "/lib/apk/packages/netcombiner.conffiles", list: "/lib/apk/packages/netcombiner.list" };

  test("describes the package", () => {
    expect(fileName).toBe("netcombiner-1.2.3-r1_aarch64_cortex-a53.apk");
    const fields = list(info);
    expect([1, 2, 4, 5, 6, 7].map((field) => ascii(fields[field]))).toEqual([
      "netcombiner",
      "1.2.3-r1",
      "combines several Internet links into one tunnel",
      "aarch64_cortex-a53",
      "MIT",
      "netcombiner",
    ]);
    expect(ascii(fields[8])).toContain("@");
    expect([fields[9], fields[10]]).toEqual([undefined, undefined]);
    expect(fields[11]).toBe(SOURCE_DATE);
    expect(fields[12]).toBe(data.reduce((sum, { content }) => sum + content.length, 0));
    const depends = list(fields[15]).slice(1);
    expect(depends.map((one) => ascii(list(one)[1]))).toEqual(["kmod-tun", "libc", "libstdcpp6"]);
    expect(fields.length).toBe(16);
  });

  test("is known by the hash of its description without that hash", () => {
    const id = list(info)[3] as Uint8Array;
    expect(id.length).toBe(20);
    const blank = database.slice();
    const at = Buffer.from(database).indexOf(id);
    blank.fill(0, at, at + 20);
    expect(Buffer.from(id).toString("hex")).toBe(createHash("sha256").update(blank).digest("hex").slice(0, 40));
  });

  /** Every file with its path, and its contents by its place. */
  const installed = list(folders)
    .slice(1)
    .flatMap((folder, i) => {
      const [, name, , files] = list(folder);
      return list(files ?? [undefined])
        .slice(1)
        .map((one, j) => {
          const [, base, acl, size, mtime, sum] = list(one);
          const [, mode, user, group] = list(acl);
          const content = data.find((block) => block.folder === i + 1 && block.file === j + 1)?.content;
          const path = `/${ascii(name)}/${ascii(base)}`;
          return { path, mode, user: ascii(user), group: ascii(group), size, mtime, sum, content: content! };
        });
    });

  test("has every folder from the root on, sorted", () => {
    const names = list(folders)
      .slice(1)
      .map((folder) => ascii(list(folder)[1]));
    expect(names[0]).toBe("");
    expect(names).toEqual([...names].sort());
    for (const name of names.filter((one) => one.includes("/"))) expect(names).toContain(name.replace(/\/[^/]*$/, ""));
    for (const folder of list(folders).slice(1)) expect(list(list(folder)[2])[1]).toBe(0o755);
  });

  test("brings the files with their sums, in order", () => {
    const own = installed.filter(({ path }) => !path.startsWith("/lib/apk/"));
    expect(own.map(({ path }) => path)).toEqual(FILES);
    expect(own.map(({ mode }) => mode)).toEqual([0o600, 0o755, 0o644, 0o755, 0o644]);
    for (const one of installed) {
      expect(one).toMatchObject({ user: "root", group: "root", mtime: SOURCE_DATE, size: one.content.length });
      expect(one.sum).toEqual(new Uint8Array(createHash("sha256").update(one.content).digest()));
    }
    expect(data.map(({ folder, file }) => folder * 1000 + file)).toEqual(
      data.map(({ folder, file }) => folder * 1000 + file).sort((a, b) => a - b),
    );
    expect(installed.length).toBe(data.length);
  });

  test("lists what OpenWrt looks for", () => {
    const content = (path: string) => ascii(installed.find((one) => one.path === path)?.content);
    const configuration = installed.find(({ path }) => path === "/etc/config/netcombiner")!;
    const sum = createHash("sha256").update(configuration.content).digest("hex");
    expect(content(lists.conffiles)).toBe("/etc/config/netcombiner\n");
    expect(content(`${lists.conffiles}_static`)).toBe(`/etc/config/netcombiner ${sum}\n`);
    const listed = content(lists.list).trimEnd().split("\n");
    expect(listed).toContain("/etc/init.d/netcombiner");
    expect(listed).toEqual([...listed].sort());
  });

  test("runs OpenWrt's scripts", () => {
    const [, , , postInstall, preDeinstall, , , postUpgrade] = list(scripts);
    expect(ascii(postInstall)).toContain("\ndefault_postinst\n");
    expect(ascii(preDeinstall)).toContain("\ndefault_prerm\n");
    expect(ascii(postUpgrade)).toStartWith("#!/bin/sh\nexport PKG_UPGRADE=1\n");
    expect(list(scripts).length).toBe(8);
  });

  test("is the same bytes again, and has no signature without a key", () => {
    expect(apk(OPENWRT).bytes).toEqual(bytes);
    expect(readApk(bytes).signatures).toEqual([]);
  });

  test("has a signature that apk finds by the key's number and verifies", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const ed25519 = generateKeyPairSync("ed25519").privateKey;
    const signed = readApk(apk({ ...OPENWRT, key: { number: new Uint8Array(8), ed25519, apk: privateKey } }).bytes);
    const [signature = new Uint8Array(0), ...others] = signed.signatures;
    expect([others, signed.database, signed.data]).toEqual([[], database, data]);
    // What apk-tools 3 does: SHA-512 of the point, "04" and both coordinates, is the key's number; the rest is adb_sign_v0 (adb.h).
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    const number = createHash("sha512").update(point).digest().subarray(0, 16);
    expect([...signature.subarray(0, 18)]).toEqual([0, 4, ...number]);
    const digest = createHash("sha512").update(database).digest();
    const message = Buffer.concat([Buffer.from("pckg"), signature.subarray(0, 18), digest]);
    expect(verify("sha512", message, publicKey, signature.subarray(18))).toBe(true);
    digest[0] = (digest[0] as number) ^ 1;
    const other = Buffer.concat([message.subarray(0, 22), digest]);
    expect(verify("sha512", other, publicKey, signature.subarray(18))).toBe(false);
  });
});
