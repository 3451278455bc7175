// Translates the version of package.json, a semantic version, for each package manager. A pre-release must sort before its
// release there as well, and each has its own notation for that.

export interface PackageVersions {
  /** deb-version(7): "~" sorts before everything, even the end. */
  readonly debian: string;
  /** opkg compares as dpkg does; -r is OpenWrt's revision of the packaging. */
  readonly ipk: string;
  /** apk: suffixes _alpha, _beta and _rc, each with a number. */
  readonly apk: string;
  /** pkg-version(8): letters sort before the end, so .a, .b and .r1 come before nothing. */
  readonly freebsd: string;
}

const SEMVER = /^(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?$/;

/** Returns all of them. @throws Error for a version without an equivalent everywhere */
export function packageVersions(version: string): PackageVersions {
  const [, release, stage, number] = SEMVER.exec(version) ?? [];
  if (release === undefined) {
    throw new Error(`version ${version} of package.json must be like 1.2.3 or 1.2.3-rc.1 (alpha, beta, rc)`);
  }
  if (stage === undefined) {
    return { debian: release, ipk: `${release}-r1`, apk: `${release}-r1`, freebsd: release };
  }
  return {
    debian: `${release}~${stage}.${number}`,
    ipk: `${release}~${stage}.${number}-r1`,
    apk: `${release}_${stage}${number}-r1`,
    freebsd: `${release}.${stage[0]}${number}`,
  };
}
