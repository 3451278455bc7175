import { describe, expect, test } from "bun:test";
import { type Files, supervisorStop } from "../../src/cli/supervisor.ts";

const stopOf = (found: Record<string, string>) => {
  const files: Files = { exists: (path) => path in found, read: (path) => found[path] ?? "" };
  return supervisorStop("nc0", 7, files, "/run/netcombiner");
};

const UNIT = "/system.slice/system-netcombiner.slice/netcombiner@nc0.service";
const PROCD = { "/proc/1/comm": "procd\n", "/proc/7/status": "Name:\tnetcombiner\nPPid:\t1\n" };

describe("Who starts a tunnel again", () => {
  test("is systemd, when the process is in the unit's control group of either version", () => {
    const command = "systemctl stop netcombiner@nc0.service";
    expect(stopOf({ "/proc/7/cgroup": `0::${UNIT}\n` })).toBe(command);
    expect(stopOf({ "/proc/7/cgroup": `4:memory:/\n1:name=systemd:${UNIT}\n` })).toBe(command);
  });

  test("is nobody, when it was started in a session or by another unit", () => {
    for (const group of ["/user.slice/user-0.slice/session-3.scope", "/system.slice/cron.service", "/"])
      expect(stopOf({ "/proc/7/cgroup": `0::${group}\n` })).toBeUndefined();
    expect(stopOf({})).toBeUndefined();
  });

  test("is procd, unless the process went into the background by itself", () => {
    expect(stopOf(PROCD)).toBe("/etc/init.d/netcombiner stop nc0");
    const environment = "PATH=/bin\0NETCOMBINER_TUN_FD=3\0";
    expect(stopOf({ ...PROCD, "/proc/7/environ": environment })).toBeUndefined();
    expect(stopOf({ ...PROCD, "/proc/1/comm": "init\n" })).toBeUndefined();
    expect(stopOf({ ...PROCD, "/proc/7/status": "PPid:\t40\n" })).toBeUndefined();
  });

  test("is daemon(8), when the script of rc.d left its number", () => {
    expect(stopOf({ "/run/netcombiner/nc0.supervisor.pid": "6\n" })).toBe("service netcombiner stop nc0");
  });
});
