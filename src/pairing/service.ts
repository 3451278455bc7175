/** Makes the tunnel start with the host, by the service manager: systemd, procd of OpenWrt, or rc.d of FreeBSD. */
import { type Machine, runStep } from "./machine.ts";

export type ServiceManager = "systemd" | "procd" | "rc.d";

const UNIT_FOLDERS = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];

/** Returns the manager that runs on this host and has netcombiner's service; undefined if there is none. */
export function findServiceManager(machine: Machine): ServiceManager | undefined {
  const hasUnit = UNIT_FOLDERS.some((folder) => machine.exists(`${folder}/netcombiner@.service`));
  if (machine.exists("/run/systemd/system") && hasUnit) return "systemd";
  if (machine.exists("/sbin/procd") && machine.exists("/etc/init.d/netcombiner")) return "procd";
  if (machine.exists("/usr/sbin/sysrc") && machine.exists("/usr/local/etc/rc.d/netcombiner")) return "rc.d";
  return undefined;
}

/** The tunnel to start. */
export interface TunnelService {
  readonly name: string;
  /** Path of its configuration. */
  readonly path: string;
  /** "none" if it runs already, whoever started it. */
  readonly start: "restart" | "start" | "none";
}

/** The commands of one service manager. */
interface ServiceCommands {
  readonly enable: readonly (readonly string[])[];
  start(verb: string): readonly string[];
}

/** Enables the service, and starts it. @throws NetcombinerError with the output of the command that failed */
export function enableService(machine: Machine, manager: ServiceManager, { name, path, start }: TunnelService): void {
  const commands = commandsFor(machine, manager, name, path);
  for (const command of commands.enable) runStep(machine, command);
  if (start !== "none") runStep(machine, commands.start(start));
}

function commandsFor(machine: Machine, manager: ServiceManager, name: string, path: string): ServiceCommands {
  if (manager === "systemd") return systemdCommands(name);
  return manager === "procd" ? procdCommands(name, path) : rcCommands(machine, name);
}

function systemdCommands(name: string): ServiceCommands {
  const unit = `netcombiner@${name}.service`;
  return { enable: [["systemctl", "enable", "--quiet", unit]], start: (verb) => ["systemctl", verb, unit] };
}

/** Makes a section of /etc/config/netcombiner; names of sections are letters, digits and underscores. */
function procdCommands(name: string, path: string): ServiceCommands {
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

function rcCommands(machine: Machine, name: string): ServiceCommands {
  const names = machine.run(["sysrc", "-n", "netcombiner_interfaces"]).out.trim().split(/\s+/).filter(Boolean);
  return {
    enable: [
      ["sysrc", "netcombiner_enable=YES"],
      ["sysrc", `netcombiner_interfaces=${[...new Set([...names, name])].join(" ")}`],
    ],
    start: (verb) => ["service", "netcombiner", verb, name],
  };
}
