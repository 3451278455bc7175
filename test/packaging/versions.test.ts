import { describe, expect, test } from "bun:test";
import { packageVersions } from "../../build/packages/versions.ts";

describe("packageVersions", () => {
  test("keeps a release, with OpenWrt's count behind it", () => {
    expect(packageVersions("1.2.3")).toEqual({
      debian: "1.2.3",
      ipk: "1.2.3-r1",
      apk: "1.2.3-r1",
      freebsd: "1.2.3",
    });
  });

  test("says pre-release in each manager's way", () => {
    expect(packageVersions("0.2.0-rc.1")).toEqual({
      debian: "0.2.0~rc.1",
      ipk: "0.2.0~rc.1-r1",
      apk: "0.2.0_rc1-r1",
      freebsd: "0.2.0.r1",
    });
  });

  test.each(["1.2", "1.2.3-nightly", "v1.2.3", "1.2.3+5"])("refuses %s", (version) => {
    expect(() => packageVersions(version)).toThrow(`version ${version} of package.json must be like`);
  });

  test.skipIf(Bun.which("dpkg") === null)("lets dpkg see that a pre-release comes first", () => {
    const older = packageVersions("0.2.0-rc.1").debian;
    expect(Bun.spawnSync(["dpkg", "--compare-versions", older, "lt", packageVersions("0.2.0").debian]).exitCode).toBe(
      0,
    );
  });
});
