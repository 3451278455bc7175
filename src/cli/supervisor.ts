/** Finds out who keeps a tunnel's process running, so that `down` can say that it will not stay down. */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { runDirectory } from "../daemon/paths.ts";

/** Looks at files; tests bring their own. */
export interface Files {
  exists(path: string): boolean;
  /** "" where there is none, or none for us. */
  read(path: string): string;
}

export const REAL_FILES: Files = {
  exists: existsSync,
  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  },
};

/** The command that ends the tunnel `name` for good; undefined when nothing starts its process `pid` again. */
export function supervisorStop(
  name: string,
  pid: number,
  files: Files = REAL_FILES,
  folder = runDirectory(),
): string | undefined {
  const unit = systemdUnit(files.read(`/proc/${pid}/cgroup`));
  if (unit) return `systemctl stop ${unit}`;
  if (isKeptByProcd(pid, files)) return `/etc/init.d/netcombiner stop ${name}`;
  // What the rc.d script has daemon(8) write.
  if (files.exists(`${folder}/${name}.supervisor.pid`)) return `service netcombiner stop ${name}`;
  return undefined;
}

/** A tunnel started by hand is in the unit of whoever's session it was, which ours is not (cgroups(7), /proc/pid/cgroup). */
function systemdUnit(cgroups: string): string | undefined {
  const names = cgroups.split("\n").map((line) => basename(line));
  return names.find((unit) => /^netcombiner@.+\.service$/.test(unit));
}

/** procd is process 1, and so becomes the parent of what went into the background; that holds the TUN by a number it was given. */
function isKeptByProcd(pid: number, files: Files): boolean {
  const parent = /^PPid:\s*(\d+)$/m.exec(files.read(`/proc/${pid}/status`))?.[1];
  if (parent !== "1" || files.read("/proc/1/comm").trim() !== "procd") return false;
  return !files.read(`/proc/${pid}/environ`).includes("NETCOMBINER_TUN_FD=");
}
