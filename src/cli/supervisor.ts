/** Finds out which service restarts a tunnel, so that `down` can name the command that stops it. */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { runDirectory } from "../daemon/process/locations.ts";

/** Access to files, which tests replace. */
export interface Files {
  exists(path: string): boolean;
  /** Returns the text of a file, or "" if it cannot be read. */
  read(path: string): string;
}

const REAL_FILES: Files = {
  exists: existsSync,
  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  },
};

/** Returns the command that stops the tunnel `name` for good; undefined when no service restarts its process `pid`. */
export function supervisorStop(
  name: string,
  pid: number,
  files: Files = REAL_FILES,
  folder = runDirectory(),
): string | undefined {
  const unit = systemdUnit(files.read(`/proc/${pid}/cgroup`));
  if (unit) return `systemctl stop ${unit}`;
  if (isKeptByProcd(pid, files)) return `/etc/init.d/netcombiner stop ${name}`;
  // The rc.d script has daemon(8) write this file.
  if (files.exists(`${folder}/${name}.supervisor.pid`)) return `service netcombiner stop ${name}`;
  return undefined;
}

/** Returns our unit among the control groups (cgroups(7)); a tunnel started by hand is in the unit of a user's session instead. */
function systemdUnit(cgroups: string): string | undefined {
  const names = cgroups.split("\n").map((line) => basename(line));
  return names.find((unit) => /^netcombiner@.+\.service$/.test(unit));
}

/** True if procd supervises the process. As process 1 it is also the parent of tunnels in the background, which have NETCOMBINER_TUN_FD. */
function isKeptByProcd(pid: number, files: Files): boolean {
  const parent = /^PPid:\s*(\d+)$/m.exec(files.read(`/proc/${pid}/status`))?.[1];
  if (parent !== "1" || files.read("/proc/1/comm").trim() !== "procd") return false;
  return !files.read(`/proc/${pid}/environ`).includes("NETCOMBINER_TUN_FD=");
}
