/** The program's name and version, put in by the build, or read from package.json when it runs from source. */
import { readFileSync } from "node:fs";

/** Returns the version, like `0.1.0`. */
export function version(): string {
  if (typeof NETCOMBINER_VERSION === "string") return NETCOMBINER_VERSION;
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Returns a line like `netcombiner 0.1.0 1a2b3c4d5e6f`, without the commit if it is not known. */
export function versionLine(): string {
  const commit = typeof NETCOMBINER_COMMIT === "string" ? NETCOMBINER_COMMIT : "";
  return `netcombiner ${version()} ${commit}`.trim();
}
