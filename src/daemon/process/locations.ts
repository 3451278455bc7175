/** The paths of configuration files and control sockets on this system. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const IS_FREEBSD = process.platform === "freebsd";

/** Returns the folder of the control sockets; tests choose their own. */
export function runDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.NETCOMBINER_RUN_DIR || (IS_FREEBSD ? "/var/run/netcombiner" : "/run/netcombiner");
}

export function socketPath(interfaceName: string, directory = runDirectory()): string {
  return join(directory, `${interfaceName}.sock`);
}

/** Returns the paths at which the configuration of an interface is looked for, in order. */
export function configurationFiles(interfaceName: string): [string, string] {
  const folder = IS_FREEBSD ? "/usr/local/etc/netcombiner" : "/etc/netcombiner";
  return [join(folder, `${interfaceName}.conf`), join(folder, interfaceName)];
}

/** Returns the configuration file that exists; if none does, the first, whose absence is then reported. */
export function configurationFile(interfaceName: string): string {
  const candidates = configurationFiles(interfaceName);
  return candidates.find((path) => existsSync(path)) ?? candidates[0];
}
