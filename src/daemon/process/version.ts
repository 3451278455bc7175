/** What this program calls itself: put in by the build, or read from package.json when it runs from source. */
import { readFileSync } from "node:fs";

/** Like `0.1.0`. */
export function version(): string {
  if (typeof NETCOMBINER_VERSION === "string") return NETCOMBINER_VERSION;
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Like `netcombiner 0.1.0 1a2b3c4d5e6f`; without the commit where it is not known. */
export function versionLine(): string {
  const commit = typeof NETCOMBINER_COMMIT === "string" ? NETCOMBINER_COMMIT : "";
  return `netcombiner ${version()} ${commit}`.trim();
}
