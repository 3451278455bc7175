// npm run arm64 [-- <arguments of netcombiner>]     default: version
//
// Builds the arm64 binary and runs it here, under qemu's user emulation with Debian's arm64 libc. That covers the system
// calls that the emulator knows: commands, configuration and the worker, but not the forwarding of packets.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "./compile.ts";
import { run } from "./run.ts";
import { targetNamed } from "./targets.ts";
import { buildVersion } from "./version.ts";

const ROOT = join(import.meta.dir, "..");
const SYSROOT = join(ROOT, ".cache", "arm64-root");
const EMULATOR = "qemu-aarch64-static";

/** Debian packages that the binary is linked with; its other libraries are inside it. */
const LIBRARIES = ["libc6", "libgcc-s1"];

/** Returns a folder with the arm64 libc, which apt-get downloads as any user, without touching the system's package lists. */
function arm64Root(): string {
  if (existsSync(SYSROOT)) return SYSROOT;
  mkdirSync(dirname(SYSROOT), { recursive: true });
  const scratch = mkdtempSync(join(dirname(SYSROOT), "fetch-"));
  try {
    const root = join(scratch, "root");
    for (const folder of ["lists/partial", "cache/archives/partial", "root"]) {
      mkdirSync(join(scratch, folder), { recursive: true });
    }
    run(["apt-get", ...aptOptions(scratch), "update"], { cwd: scratch });
    run(["apt-get", ...aptOptions(scratch), "download", ...LIBRARIES], { cwd: scratch });
    for (const archive of readdirSync(scratch).filter((name) => name.endsWith(".deb"))) {
      run(["dpkg-deb", "-x", join(scratch, archive), root]);
    }
    renameSync(root, SYSROOT);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return SYSROOT;
}

function aptOptions(scratch: string): string[] {
  const settings = [
    "APT::Architecture=arm64",
    "APT::Architectures=arm64",
    `Dir::State::Lists=${join(scratch, "lists")}`,
    `Dir::Cache=${join(scratch, "cache")}`,
    // apt-get would change to an unprivileged user, who cannot write here.
    "APT::Sandbox::User=root",
  ];
  return ["-qq", ...settings.flatMap((setting) => ["-o", setting])];
}

function main(args: readonly string[]): number {
  const arm64 = targetNamed("linux-arm64");
  const outfile = join(ROOT, "dist", `netcombiner-${arm64.name}`);
  compile({ entry: join(ROOT, "src", "main.ts"), outfile, version: buildVersion(), target: arm64 });
  const command = [EMULATOR, "-L", arm64Root(), outfile, ...(args.length > 0 ? args : ["version"])];
  return Bun.spawnSync(command, { stdio: ["inherit", "inherit", "inherit"] }).exitCode;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  console.error(`arm64: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
