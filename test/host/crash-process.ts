/**
 * In a network namespace of its own: for each command of the plan of each configuration, all that was done before it is
 * left standing, as by kill -9, and healed by another run. Prints what differs afterwards, one JSON line for each plan.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Configuration } from "../../src/config/configuration.ts";
import { validateConfiguration } from "../../src/config/load.ts";
import { runCommand } from "../../src/host/command.ts";
import { HostSystem } from "../../src/host/system.ts";
import { STEP_MILLIS } from "../support/limits.ts";

const HOST = `
link set lo up
link add nc0 type veth peer name nc0x
link set nc0 up
link set nc0x up
addr add 10.47.25.1/24 dev nc0
link add wan0 type veth peer name wan0x
link set wan0 up
link set wan0x up
addr add 203.0.113.1/24 dev wan0
route add default via 203.0.113.254 metric 100
link add wan1 type veth peer name wan1x
link set wan1 up
link set wan1x up
addr add 198.51.100.2/24 dev wan1
addr add 2001:db8::2/64 dev wan1 nodad
route add default via 198.51.100.1 metric 101
route add default via 2001:db8::1
link add lan type veth peer name lanx
link set lan up
link set lanx up
addr add 192.168.50.1/24 dev lan
`;

const DUMP = [
  "for f in 4 6; do ip -d -$f rule; ip -d -$f route show table all; done; ip address; ip neigh show proxy; nft list ruleset",
  "grep -s '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv[46]/conf/*/* /proc/sys/net/ipv4/neigh/*/*; true",
].join("\n");

function sh(script: string): string {
  return Bun.spawnSync(["sh", "-c", script]).stdout.toString();
}

function configurationOf(keys: string): Configuration {
  const text = `[Host]\nSecurity = none\nAddress = 10.47.25.1/24, fd47::1/64\n${keys}\n[Peer]\nLocalInterface = wan0\n[Peer]\nLocalInterface = wan1\n`;
  const { configuration, faults } = validateConfiguration({ text, mode: 0o600 }, "", () => ({ problem: "" }));
  if (!configuration) throw new Error(faults.map((fault) => fault.text).join("\n"));
  return configuration;
}

/** Lines that only one of them has. Variables of the tunnel's interface go with it, which here stays. */
function difference(before: string, after: string): string[] {
  const [old, fresh] = [before, after].map((text) => text.split("\n").filter((line) => !line.includes("/nc0/"))) as [
    string[],
    string[],
  ];
  return [
    ...old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`),
    ...fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}

/** The dump of a host at rest: the kernel tells interfaces of their carrier, and adds what follows from it, in its own time. */
async function settledDump(): Promise<string> {
  for (let last = "", end = performance.now() + STEP_MILLIS; performance.now() < end; await Bun.sleep(100)) {
    const dump = sh(DUMP);
    if (dump === last && !/NO-CARRIER|tentative/.test(dump)) return dump;
    last = dump;
  }
  throw new Error("the host does not come to rest");
}

class Crash extends Error {}

/** Runs so many commands and no further. @returns whether that was before the end */
async function crashAt(count: number, journalPath: string, configuration: Configuration): Promise<boolean> {
  let left = count;
  const system = new HostSystem({
    name: "nc0",
    journalPath,
    print: () => undefined,
    run: async (command) => {
      if (left-- === 0) throw new Crash();
      await runCommand(command);
    },
  });
  try {
    await system.prepare(configuration);
    await system.configure(configuration);
    return false;
  } catch (error) {
    if (error instanceof Crash) return true;
    throw error;
  }
}

const folder = mkdtempSync(join(tmpdir(), "netcombiner-crash-"));
try {
  const journalPath = join(folder, "nc0.undo");
  // Addresses are not to change by themselves.
  sh("for f in all default; do echo 0 > /proc/sys/net/ipv6/conf/$f/accept_dad; done");
  Bun.spawnSync(["ip", "-batch", "-"], { stdin: new TextEncoder().encode(HOST), stderr: "inherit" });
  const before = await settledDump();
  for (const path of process.argv.slice(2)) {
    const configuration = configurationOf(readFileSync(path, "utf8"));
    let commands = 0;
    const different: string[] = [];
    for (let isMore = true; isMore; commands++) {
      isMore = await crashAt(commands, journalPath, configuration);
      if (commands > 0 && sh(DUMP) === before) different.push(`before command ${commands}: nothing was done`);
      await new HostSystem({ name: "nc0", journalPath, print: () => undefined }).heal();
      different.push(...difference(before, sh(DUMP)).map((line) => `before command ${commands}: ${line}`));
    }
    process.stdout.write(`${JSON.stringify({ commands, different })}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
