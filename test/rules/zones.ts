// The picture of docs/architecture.md as data: which place may import which.

import { posix } from "node:path";
import { type Import, importsOf, type SourceFile } from "./sources.ts";

/** Small files that everything may import, next to the whole of src/memory. */
const FLOOR_FILES = ["ports", "errors", "clock", "random", "endpoint", "drops", "token-bucket"].map(
  (name) => `src/${name}.ts`,
);

/** Places without I/O, clock and randomness of their own. */
export const PURE_ZONES = [
  "floor",
  "portal",
  "path",
  "congestion",
  "queue",
  "scheduler",
  "resequencer",
  "exchange",
  "security",
  "wire",
  "offload",
  "monitor",
] as const;

const PURE_BOXES = PURE_ZONES.filter((zone) => zone !== "floor");

/** What each place may import besides itself and the floor. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  main: ["cli", "daemon", "dataplane"],
  cli: ["daemon", "config", "host", "monitor", "pairing"],
  daemon: ["config", "host", "pairing", "ffi", ...PURE_BOXES],
  dataplane: ["ffi", ...PURE_BOXES.filter((zone) => zone !== "monitor")],
  pairing: ["config", "host", "exchange", "security", "wire"],
  config: ["security"],
  host: ["ffi"],
  ffi: [],
  portal: PURE_BOXES.filter((zone) => zone !== "monitor"),
  path: ["congestion", "security", "wire"],
  exchange: ["security", "wire"],
  queue: ["wire"],
  offload: ["wire"],
  monitor: [],
  congestion: [],
  scheduler: ["queue"],
  resequencer: ["wire"],
  security: ["wire"],
  wire: [],
  floor: [],
};

/**
 * What each place may know by type alone: a configuration names what the portal can be, `show` prints its snapshot, and
 * what is to be done to the host is what a configuration says.
 */
const ALLOWED_TYPES: Readonly<Record<string, readonly string[]>> = {
  cli: ["portal"],
  config: ["portal"],
  host: ["config"],
  monitor: ["portal", "path"],
};

/** Single files of another place whose types a place may know: the control plane talks to the packet thread by messages. */
const ALLOWED_TYPE_FILES: Readonly<Record<string, readonly string[]>> = {
  daemon: ["src/dataplane/messages.ts"],
};

/** Who may import which npm package; the rest of the world is not installed. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  citty: ["cli"],
  qr: ["pairing"],
  valibot: ["config", "daemon"],
  "@noble/hashes": ["security", "exchange"],
  "@noble/ciphers": ["security", "exchange"],
};

/** The floor that ffi/ may use at run time; of the rest it knows types. */
const FFI_VALUES = ["src/clock.ts", "src/endpoint.ts", "src/errors.ts", "src/memory/"];

/** The place that a file belongs to, undefined for a file outside of the picture. */
export function zoneOf(path: string): string | undefined {
  if (path === "src/main.ts") return "main";
  if (path.startsWith("ffi/")) return "ffi";
  if (FLOOR_FILES.includes(path) || path.startsWith("src/memory/")) return "floor";
  const [top, folder, file] = path.split("/");
  return top === "src" && file !== undefined && folder !== undefined && folder in ALLOWED ? folder : undefined;
}

export function isPure(path: string): boolean {
  return PURE_ZONES.some((zone) => zone === zoneOf(path));
}

/** What is wrong with the imports and exports of `file`, one sentence each; empty when all is well. */
export function violations(file: SourceFile): string[] {
  const zone = zoneOf(file.path);
  if (zone === undefined) return [`${file.path} belongs to no place in test/rules/zones.ts`];
  const wrong = importsOf(file.text).flatMap((found) => {
    const reason = found.specifier.startsWith(".")
      ? relativeFault(file.path, zone, found)
      : externalFault(zone, found.specifier);
    return reason ? [`${file.path} imports ${found.specifier}: ${reason}`] : [];
  });
  const reExports = importsOf(file.text).filter((found) => found.isReExport);
  return [...wrong, ...reExports.map((found) => `${file.path} re-exports ${found.specifier}: import it from there`)];
}

function relativeFault(path: string, zone: string, found: Import): string | undefined {
  // A page is embedded as text.
  if (found.specifier.endsWith(".html")) return undefined;
  if (!found.specifier.endsWith(".ts")) return "write the .ts ending";
  const target = posix.join(posix.dirname(path), found.specifier);
  const targetZone = zoneOf(target);
  if (targetZone === undefined) return "that file belongs to no place in test/rules/zones.ts";
  if (targetZone === zone) return undefined;
  if (targetZone === "floor") return zone === "ffi" ? ffiFault(target, found.isType) : undefined;
  if (ALLOWED[zone]?.includes(targetZone)) return undefined;
  if (found.isType && ALLOWED_TYPES[zone]?.includes(targetZone)) return undefined;
  if (found.isType && ALLOWED_TYPE_FILES[zone]?.includes(target)) return undefined;
  return `${zone} must not know ${targetZone}`;
}

function ffiFault(target: string, isType: boolean): string | undefined {
  return isType || FFI_VALUES.some((start) => target.startsWith(start)) ? undefined : "ffi may know its types only";
}

function externalFault(zone: string, specifier: string): string | undefined {
  if (specifier === "bun:ffi") return zone === "ffi" ? undefined : "only ffi/ calls the system";
  // Ciphers and X25519: functions of what they are given.
  if (specifier === "node:crypto" && zone === "security") return undefined;
  if (specifier === "bun" || /^(node|bun):/.test(specifier)) {
    return PURE_ZONES.some((pure) => pure === zone) ? `${zone} is pure` : undefined;
  }
  const name = Object.keys(PACKAGES).find((known) => specifier === known || specifier.startsWith(`${known}/`));
  if (name === undefined) return "an unknown package";
  return PACKAGES[name]?.includes(zone) ? undefined : `${name} is for ${PACKAGES[name]?.join(" and ")} only`;
}
