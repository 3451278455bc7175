// Makes a fresh clone usable: installs the npm packages, then the Debian packages that a purpose needs.
// It is plain Node without dependencies, because it runs before anything is installed.
//
//   node build/bootstrap.mjs [--npm-only | --for <purpose>]     purposes: test (default), demo, evaluate, bench, arm64

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every Debian package that the project uses: the command (or file) that it brings, the reason, and the purposes that need it. */
export const DEBIAN_PACKAGES = [
  {
    package: "iproute2",
    command: "ip",
    why: "namespaces, addresses and routes",
    purposes: ["test", "demo", "evaluate", "bench"],
  },
  { package: "procps", command: "sysctl", why: "forwarding inside a namespace", purposes: ["test", "demo", "bench"] },
  { package: "nftables", command: "nft", why: "the NAT between portals", purposes: ["test", "demo"] },
  {
    package: "iputils-ping",
    command: "ping",
    why: "round trips through the tunnel",
    purposes: ["test", "demo", "evaluate", "bench"],
  },
  { package: "iperf3", command: "iperf3", why: "load for the tunnel", purposes: ["test", "demo", "bench"] },
  { package: "gcc", command: "gcc", why: "compares our layouts with the system's headers", purposes: ["test"] },
  { package: "chromium", command: "chromium", why: "shows the status page", purposes: ["test"] },
  { package: "zsh", command: "zsh", why: "reads our completions", purposes: ["test"] },
  { package: "fish", command: "fish", why: "completes with ours", purposes: ["test"] },
  { package: "mandoc", command: "mandoc", why: "checks the manual pages", purposes: ["test"] },
  { package: "libc6-dev", command: "/usr/include/stdio.h", why: "those headers", purposes: ["test"] },
  { package: "shellcheck", command: "shellcheck", why: "reads the scripts of the packages", purposes: ["test"] },
  {
    package: "libarchive-tools",
    command: "bsdtar",
    why: "reads FreeBSD's package as its pkg does",
    purposes: ["test"],
  },
  { package: "minisign", command: "minisign", why: "verifies our signatures", purposes: ["test"] },
  { package: "signify-openbsd", command: "signify-openbsd", why: "verifies them too", purposes: ["test"] },
  { package: "debootstrap", command: "debootstrap", why: "a Debian to install the package in", purposes: ["test"] },
  {
    package: "wireguard-go",
    command: "wireguard-go",
    why: "the yardstick of the benchmark, a peer for our handshake",
    purposes: ["test", "bench"],
  },
  { package: "wireguard-tools", command: "wg", why: "sets it up", purposes: ["test", "bench"] },
  { package: "qemu-user-static", command: "qemu-aarch64-static", why: "runs the arm64 binary", purposes: ["arm64"] },
];

const RUNS_AS_ROOT = process.getuid?.() === 0;

function fail(message) {
  console.error(`bootstrap: ${message}`);
  process.exit(1);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  if (error) fail(`${command} cannot be started: ${error.message}`);
  return status === 0;
}

function hasCommand(name) {
  if (isAbsolute(name)) return existsSync(name);
  // A user's PATH often lacks sbin, where Debian keeps ip, nft and sysctl.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => folder !== "" && existsSync(join(folder, name)));
}

function lockedPackages(path) {
  if (!existsSync(path)) return {};
  const { packages = {} } = JSON.parse(readFileSync(path, "utf8"));
  return Object.fromEntries(Object.entries(packages).filter(([place]) => place !== ""));
}

/** True if node_modules holds what the lock file names; npm records there what it installed. */
function npmPackagesAreCurrent() {
  const wanted = lockedPackages(join(ROOT, "package-lock.json"));
  const installed = lockedPackages(join(ROOT, "node_modules", ".package-lock.json"));
  const isSame = (place) => installed[place]?.integrity === wanted[place]?.integrity && existsSync(join(ROOT, place));
  return (
    Object.keys(installed).every((place) => place in wanted) &&
    Object.keys(wanted).every((place) => (wanted[place].optional && !(place in installed)) || isSame(place))
  );
}

function bunAnswers() {
  return spawnSync(join(ROOT, "node_modules", ".bin", "bun"), ["--version"]).status === 0;
}

function installNpmPackages() {
  if (!npmPackagesAreCurrent()) {
    console.log("bootstrap: npm ci");
    if (!run("npm", ["ci", "--no-audit", "--no-fund"])) fail("npm ci failed; is a registry reachable?");
  }
  // bun's package puts its binary in place in an install script, which npm may be configured not to run.
  if (!bunAnswers()) run(process.execPath, [join("node_modules", "bun", "install.js")]);
  if (!bunAnswers()) fail("bun does not start; remove node_modules and run npm ci");
}

function installDebianPackages(purpose) {
  const missing = DEBIAN_PACKAGES.filter((entry) => entry.purposes.includes(purpose) && !hasCommand(entry.command));
  if (missing.length === 0) return;
  const names = missing.map((entry) => entry.package);
  const reasons = missing.map((entry) => `  ${entry.command.padEnd(20)} ${entry.why}`).join("\n");
  if (!hasCommand("apt-get")) {
    console.log(`bootstrap: these commands are missing, and there is no apt-get to install them:\n${reasons}`);
    return;
  }
  if (!RUNS_AS_ROOT) {
    console.log(`bootstrap: these commands are missing:\n${reasons}`);
    console.log(`bootstrap: as root: apt-get install --no-install-recommends ${names.join(" ")}`);
    return;
  }
  console.log(`bootstrap: apt-get install ${names.join(" ")}`);
  // A stale package list is not fatal by itself: the installation reports what it cannot find.
  if (!aptGet(["update"])) console.log("bootstrap: apt-get update failed; going on");
  if (!aptGet(["-y", "--no-install-recommends", "install", ...names]))
    fail(`apt-get could not install ${names.join(" ")}`);
}

/** Runs apt-get, which prints errors only, asks nothing, and waits 300 s for another apt-get to end. Returns true on success. */
function aptGet(args) {
  const { status } = spawnSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return status === 0;
}

function main(args) {
  const index = args.indexOf("--for");
  const purpose = index < 0 ? "test" : args[index + 1];
  if (!DEBIAN_PACKAGES.some((entry) => entry.purposes.includes(purpose))) fail(`no such purpose: ${purpose}`);
  installNpmPackages();
  if (!args.includes("--npm-only")) installDebianPackages(purpose);
}

main(process.argv.slice(2));
