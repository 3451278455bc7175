import { describe, expect, test } from "bun:test";
import { codeOnly, importsOf, sourceFiles } from "./rules/sources.ts";
import { violations } from "./rules/zones.ts";

const program = sourceFiles(["src", "ffi"]);

/** Access to a number that lies in bytes. */
const BYTE_ACCESS = /\.[gs]et(Big)?(Uint|Int)(8|16|32|64)\(/;

/** Files outside src/wire, and src/offload with its headers of the host's packets, that write numbers into bytes of something else. */
const OTHER_BYTES: Readonly<Record<string, string>> = {
  "src/daemon/speed/transfer.ts": "the speed test's own protocol inside the tunnel",
  "src/dataplane/tun-edge.ts": "the address family in front of a packet of FreeBSD's TUN",
  "src/endpoint.ts": "the layout of an address in memory",
  "src/exchange/noise.ts": "the nonce of a Noise message",
  "src/exchange/session.ts": "the prologue of a rekey, which is hashed",
  "src/security/nonce.ts": "the nonce of a datagram",
};

describe("the dependency picture", () => {
  test("is kept by every import of src and ffi", () => {
    expect(program.length).toBeGreaterThan(0);
    expect(program.flatMap(violations)).toEqual([]);
  });

  test("has the system called from ffi alone", () => {
    // The lab enters namespaces, which the program never does; the tests of ffi look at memory from the other side.
    const mayCall = (path: string) => path.startsWith("test/ffi/") || path.startsWith("test/lab/");
    const callers = sourceFiles(["src", "build", "packaging", "test"])
      .filter((file) => importsOf(file.text).some((found) => found.specifier === "bun:ffi"))
      .map((file) => file.path);
    expect(callers.filter((path) => !mayCall(path))).toEqual([]);
  });

  test("has no program that imports its tests or its build", () => {
    const wrong = program.filter((file) =>
      importsOf(file.text).some((f) => /(^|\/)(test|build|packaging)\//.test(f.specifier)),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  test("has the bytes of datagrams read and written in src/wire alone", () => {
    const packetCode = sourceFiles(["src"]).filter(({ path }) => !/^src\/(wire|offload)\//.test(path));
    const others = packetCode.filter(({ text }) => BYTE_ACCESS.test(codeOnly(text))).map(({ path }) => path);
    expect(others.sort()).toEqual(Object.keys(OTHER_BYTES).sort());
  });

  test("has no barrels and no default exports", () => {
    const all = sourceFiles(["src", "ffi", "build", "test", "packaging"]);
    expect(all.filter((file) => /(^|\/)index\.(ts|mjs)$/.test(file.path)).map((file) => file.path)).toEqual([]);
    expect(all.filter((file) => hasDefaultExport(file.text)).map((file) => file.path)).toEqual([]);
  });
});

function hasDefaultExport(text: string): boolean {
  return /\bexport\s+default\b|\bas\s+default\b/.test(codeOnly(text));
}

describe("the rule", () => {
  const bad: readonly (readonly [path: string, text: string, complaint: string])[] = [
    ["src/path/pacer.ts", 'import { a } from "../portal/portal.ts";', "path must not know portal"],
    ["src/path/pacer.ts", 'import type { A } from "../portal/portal.ts";', "path must not know portal"],
    ["src/scheduler/greedy.ts", 'import type { Path } from "../path/path.ts";', "scheduler must not know path"],
    ["src/portal/portal.ts", 'import { udp } from "../../ffi/udp.ts";', "portal must not know ffi"],
    ["src/portal/portal.ts", 'import { b } from "../daemon/process/log.ts";', "portal must not know daemon"],
    ["src/daemon/daemon.ts", 'import type { D } from "../dataplane/dataplane.ts";', "daemon must not know dataplane"],
    ["src/daemon/daemon.ts", 'import { d } from "../dataplane/messages.ts";', "daemon must not know dataplane"],
    ["src/dataplane/dataplane.ts", 'import { e } from "../daemon/process/log.ts";', "dataplane must not know daemon"],
    ["src/clock.ts", 'import { c } from "./path/rtt.ts";', "floor must not know path"],
    ["src/main.ts", 'import { d } from "./portal/portal.ts";', "main must not know portal"],
    ["src/cli/show-command.ts", 'import { d } from "../portal/snapshot.ts";', "cli must not know portal"],
    ["ffi/udp.ts", 'import { e } from "../src/wire/ip.ts";', "ffi must not know wire"],
    ["ffi/udp.ts", 'import { count } from "../src/drops.ts";', "types only"],
    ["src/daemon/daemon.ts", 'import { dlopen } from "bun:ffi";', "only ffi/ calls the system"],
    ["src/queue/queue.ts", 'import { readFileSync } from "node:fs";', "queue is pure"],
    ["src/memory/ring.ts", 'import { sleep } from "bun";', "floor is pure"],
    ["src/wire/ip.ts", 'import { blake2s } from "@noble/hashes/blake2.js";', "for security and exchange only"],
    ["src/cli/run-command.ts", 'import lodash from "lodash";', "an unknown package"],
    ["src/path/path.ts", 'import { f } from "./rtt";', "write the .ts ending"],
    ["src/path/path.ts", 'import { f } from "../../test/sim/world.ts";', "belongs to no place"],
    ["src/portal/all.ts", 'export * from "../path/path.ts";', "re-exports"],
    ["src/helper.ts", "", "belongs to no place"],
    ["src/misc/helper.ts", "", "belongs to no place"],
  ];

  test.each(bad)("complains of %s with %s", (path, text, complaint) => {
    expect(violations({ path, text }).join("\n")).toContain(complaint);
  });

  const good: readonly (readonly [path: string, text: string])[] = [
    ["src/path/pacer.ts", 'import type { Micros } from "../clock.ts";\nimport { a } from "./rtt.ts";'],
    ["src/dataplane/dataplane.ts", 'import { b } from "../../ffi/udp.ts";\nimport { c } from "../portal/portal.ts";'],
    ["src/daemon/process/log.ts", 'import type { LogLevel } from "../../dataplane/messages.ts";'],
    ["src/cli/show-command.ts", 'import type { Snapshot } from "../portal/snapshot.ts";'],
    ["src/security/blake2s.ts", 'import { blake2s } from "@noble/hashes/blake2.js";'],
    ["src/config/schema.ts", 'import * as v from "valibot";'],
    ["ffi/linux/udp.ts", 'import { CFunction } from "bun:ffi";\nimport type { Producer } from "../../src/ports.ts";'],
    ["src/main.ts", 'import { cli } from "./cli/cli.ts";'],
  ];

  test.each(good)("has nothing against %s with %s", (path, text) => {
    expect(violations({ path, text })).toEqual([]);
  });

  test("sees default exports and not the word", () => {
    expect(hasDefaultExport("export default class {}")).toBe(true);
    expect(hasDefaultExport("const a = 1;\nexport { a as default };")).toBe(true);
    expect(hasDefaultExport('const text = "export default"; // export default')).toBe(false);
  });
});
