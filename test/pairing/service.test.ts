import { describe, expect, test } from "bun:test";
import { EXIT, NetcombinerError } from "../../src/errors.ts";
import { enableService, findServiceManager } from "../../src/pairing/service.ts";
import { fakeMachine } from "./machine.ts";

const TUNNEL = { name: "nc0", path: "/etc/netcombiner/nc0.conf", start: "restart" } as const;

describe("The service manager", () => {
  test("is the one that runs and knows the program", () => {
    const found = (...files: string[]) => findServiceManager(fakeMachine({}, files));
    expect(found("/run/systemd/system", "/lib/systemd/system/netcombiner@.service")).toBe("systemd");
    expect(found("/sbin/procd", "/etc/init.d/netcombiner")).toBe("procd");
    expect(found("/usr/sbin/sysrc", "/usr/local/etc/rc.d/netcombiner")).toBe("rc.d");
    expect(found()).toBeUndefined();
    expect(found("/run/systemd/system")).toBeUndefined();
    expect(found("/lib/systemd/system/netcombiner@.service")).toBeUndefined();
    expect(found("/etc/init.d/netcombiner")).toBeUndefined();
  });

  test("enables the tunnel and starts it, anew or not or not at all, as told", () => {
    const systemctl = (verb: string) => `systemctl ${verb} netcombiner@nc0.service`;
    const answers = { [systemctl("enable --quiet")]: {}, [systemctl("start")]: {}, [systemctl("restart")]: {} };
    for (const start of ["restart", "start"] as const) {
      const machine = fakeMachine(answers);
      enableService(machine, "systemd", { ...TUNNEL, start });
      expect(machine.printed).toEqual([`+ ${systemctl("enable --quiet")}`, `+ ${systemctl(start)}`]);
    }
    const running = fakeMachine(answers);
    enableService(running, "systemd", { ...TUNNEL, start: "none" });
    expect(running.ran).toEqual([systemctl("enable --quiet")]);
  });

  test("of OpenWrt and of FreeBSD are spoken to in their own words", () => {
    const lines = [
      "uci set netcombiner.nc0=tunnel",
      "uci set netcombiner.nc0.enabled=1",
      "uci set netcombiner.nc0.file=/etc/netcombiner/nc0.conf",
      "uci commit netcombiner",
      "/etc/init.d/netcombiner enable",
      "/etc/init.d/netcombiner restart",
    ];
    const procd = fakeMachine(Object.fromEntries(lines.map((line) => [line, {}])));
    enableService(procd, "procd", TUNNEL);
    expect(procd.ran).toEqual(lines);
    const freebsd = fakeMachine({
      "sysrc -n netcombiner_interfaces": { out: "nc1 nc0\n" },
      "sysrc netcombiner_enable=YES": {},
      "sysrc netcombiner_interfaces=nc1 nc0": {},
      "service netcombiner restart nc0": {},
    });
    enableService(freebsd, "rc.d", TUNNEL);
    expect(freebsd.printed).toEqual([
      "+ sysrc netcombiner_enable=YES",
      "+ sysrc 'netcombiner_interfaces=nc1 nc0'",
      "+ service netcombiner restart nc0",
    ]);
  });

  test("that fails is told with what it said", () => {
    const machine = fakeMachine({
      "systemctl enable --quiet netcombiner@nc0.service": { code: 1, err: "Access denied\n" },
    });
    try {
      enableService(machine, "systemd", TUNNEL);
      throw new Error("it did not fail");
    } catch (error) {
      expect(error).toBeInstanceOf(NetcombinerError);
      expect(error).toMatchObject({ message: "systemctl: Access denied", exitCode: EXIT.OS });
    }
  });
});
