/** Has the tunnel start with the host, by the service manager that is there: systemd, procd of OpenWrt, or rc.d of FreeBSD. */
import { type Machine, step } from "./machine.ts";

export type ServiceManager = "systemd" | "procd" | "rc.d";

const UNIT_FOLDERS = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];

/** The manager that runs on this host and knows the program; undefined when there is none. */
export function findServiceManager(machine: Machine): ServiceManager | undefined {
  const hasUnit = UNIT_FOLDERS.some((folder) => machine.exists(`${folder}/netcombiner@.service`));
  if (machine.exists("/run/systemd/system") && hasUnit) return "systemd";
  if (machine.exists("/sbin/procd") && machine.exists("/etc/init.d/netcombiner")) return "procd";
  if (machine.exists("/usr/sbin/sysrc") && machine.exists("/usr/local/etc/rc.d/netcombiner")) return "rc.d";
  return undefined;
}

/**
 * Enables the tunnel of a file and starts it, anew if its configuration is new.
 * @throws NetcombinerError with what a step failed with
 */
export function enableService(
  machine: Machine,
  manager: ServiceManager,
  { name, path, isNew }: { readonly name: string; readonly path: string; readonly isNew: boolean },
): void {
  const start = isNew ? "restart" : "start";
  const commands =
    manager === "systemd"
      ? systemdCommands(name, start)
      : manager === "procd"
        ? procdCommands(name, path, start)
        : rcCommands(machine, name, start);
  for (const command of commands) step(machine, command);
}

function systemdCommands(name: string, start: string): string[][] {
  const unit = `netcombiner@${name}.service`;
  return [
    ["systemctl", "enable", "--quiet", unit],
    ["systemctl", start, unit],
  ];
}

/** A section of /etc/config/netcombiner that names the file; names of sections are letters, digits and underscores. */
function procdCommands(name: string, path: string, start: string): string[][] {
  const section = `netcombiner.${name.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
  return [
    ["uci", "set", `${section}=tunnel`],
    ["uci", "set", `${section}.enabled=1`],
    ["uci", "set", `${section}.file=${path}`],
    ["uci", "commit", "netcombiner"],
    ["/etc/init.d/netcombiner", "enable"],
    ["/etc/init.d/netcombiner", start],
  ];
}

function rcCommands(machine: Machine, name: string, start: string): string[][] {
  const names = machine.run(["sysrc", "-n", "netcombiner_interfaces"]).out.trim().split(/\s+/).filter(Boolean);
  return [
    ["sysrc", "netcombiner_enable=YES"],
    ["sysrc", `netcombiner_interfaces=${[...new Set([...names, name])].join(" ")}`],
    ["service", "netcombiner", start, name],
  ];
}
