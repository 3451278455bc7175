import { describe, expect, test } from "bun:test";
import { FORMATS, RECIPES } from "../../build/packages/recipes.ts";
import { tarball } from "../../build/packages/tarball.ts";
import { TARGETS } from "../../build/targets.ts";
import { readTar } from "./read-tar.ts";
import { INPUT } from "./stand-in.ts";

const { fileName, bytes } = tarball({ ...INPUT, target: "linux-arm64-musl" });
const entries = readTar(Bun.gunzipSync(new Uint8Array(bytes)));

describe("the plain archive", () => {
  test("unpacks into one folder that says what it is", () => {
    expect(fileName).toBe("netcombiner-1.2.3-linux-arm64-musl.tar.gz");
    expect(entries[0]).toMatchObject({ name: "netcombiner-1.2.3-linux-arm64-musl/", type: "5" });
    expect(entries.every(({ name }) => name.startsWith("netcombiner-1.2.3-linux-arm64-musl/"))).toBe(true);
  });

  test("has the program, its licence, its documents and every service script", () => {
    const names = entries.map(({ name }) => name.replace(/^[^/]+\//, ""));
    expect(names).toEqual(
      expect.arrayContaining([
        "netcombiner",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "netcombiner.conf.example",
        "service/systemd/netcombiner@.service",
        "service/freebsd/netcombiner",
        "service/openwrt/netcombiner",
      ]),
    );
    expect(entries.find(({ name }) => name.endsWith("-musl/netcombiner"))).toMatchObject({ mode: 0o755, size: 4097 });
  });

  test("is the same bytes again", () => {
    expect(tarball({ ...INPUT, target: "linux-arm64-musl" }).bytes).toEqual(bytes);
  });
});

describe("the recipes", () => {
  const made = RECIPES.flatMap(({ format, target, make }) =>
    make(INPUT).map(({ fileName: name }) => ({ format, target: target.name, name })),
  );

  test("make every format, each file under a name of its own", () => {
    expect(FORMATS).toEqual(["deb", "ipk", "apk", "pkg", "tar.gz"]);
    expect(new Set(made.map(({ name }) => name)).size).toBe(made.length);
    for (const { format, name } of made) expect(name).toEndWith(`.${format}`);
  });

  test("make an archive for every target, and OpenWrt's packages of the musl ones", () => {
    const targets = (format: string) => [
      ...new Set(made.filter((one) => one.format === format).map((one) => one.target)),
    ];
    expect(targets("tar.gz")).toEqual(TARGETS.map(({ name }) => name));
    expect(targets("ipk")).toEqual(["linux-x64-musl", "linux-arm64-musl"]);
    expect(targets("apk")).toEqual(["linux-x64-musl", "linux-arm64-musl"]);
    expect(targets("deb")).toEqual(["linux-x64", "linux-arm64"]);
    expect(targets("pkg")).toEqual(["freebsd-x64", "freebsd-arm64"]);
  });
});
