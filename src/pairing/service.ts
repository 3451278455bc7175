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

export interface Tunnel {
  readonly name: string;
  /** Its configuration. */
  readonly path: string;
  /** "none" for one that runs already, whoever started it. */
  readonly start: "restart" | "start" | "none";
}

/** What a manager is told. */
interface Orders {
  readonly enable: readonly (readonly string[])[];
  start(verb: string): readonly string[];
}

/** Enables the tunnel of a file, and starts it. @throws NetcombinerError with what a step failed with */
export function enableService(machine: Machine, manager: ServiceManager, { name, path, start }: Tunnel): void {
  const orders = ordersFor(machine, manager, name, path);
  for (const command of orders.enable) step(machine, command);
  if (start !== "none") step(machine, orders.start(start));
}

function ordersFor(machine: Machine, manager: ServiceManager, name: string, path: string): Orders {
  if (manager === "systemd") return systemdOrders(name);
  return manager === "procd" ? procdOrders(name, path) : rcOrders(machine, name);
}

function systemdOrders(name: string): Orders {
  const unit = `netcombiner@${name}.service`;
  return { enable: [["systemctl", "enable", "--quiet", unit]], start: (verb) => ["systemctl", verb, unit] };
}

/** A section of /etc/config/netcombiner that names the file; names of sections are letters, digits and underscores. */
function procdOrders(name: string, path: string): Orders {
  const section = `netcombiner.${name.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
  return {
    enable: [
      ["uci", "set", `${section}=tunnel`],
      ["uci", "set", `${section}.enabled=1`],
      ["uci", "set", `${section}.file=${path}`],
      ["uci", "commit", "netcombiner"],
      ["/etc/init.d/netcombiner", "enable"],
    ],
    start: (verb) => ["/etc/init.d/netcombiner", verb],
  };
}

function rcOrders(machine: Machine, name: string): Orders {
  const names = machine.run(["sysrc", "-n", "netcombiner_interfaces"]).out.trim().split(/\s+/).filter(Boolean);
  return {
    enable: [
      ["sysrc", "netcombiner_enable=YES"],
      ["sysrc", `netcombiner_interfaces=${[...new Set([...names, name])].join(" ")}`],
    ],
    start: (verb) => ["service", "netcombiner", verb, name],
  };
}
