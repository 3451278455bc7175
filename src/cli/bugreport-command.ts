/** Implements `netcombiner bugreport nc0`, which collects what is needed to find a fault, without keys, addresses and host names. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, hostname, release, totalmem } from "node:os";
import { defineCommand } from "citty";
import { type IniSection, parseIni } from "../config/ini.ts";
import { loadConfiguration } from "../config/load.ts";
import { ADDRESS_KEYS, PLAIN_KEYS } from "../config/privacy.ts";
import { versionLine } from "../daemon/process/program-version.ts";
import { parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { renderMetrics } from "../monitor/metrics.ts";
import { Redactor } from "../monitor/redact.ts";
import { formatBytes, formatCount } from "../monitor/units.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile } from "./arguments.ts";
import { colours } from "./colour.ts";
import { askTunnel, chosenInterface, reportOf } from "./running.ts";
import { renderShow } from "./show-view.ts";

/** Timeout of a command of the system. */
const TOOL_TIMEOUT_MS = 2_000;
const NOT_AVAILABLE = "(not available: ";

export const bugreportCommand = defineCommand({
  meta: {
    name: "netcombiner bugreport",
    description: "Print what is needed to find a fault, with keys, addresses and host names removed",
  },
  args: {
    interface: {
      type: "positional",
      required: false,
      description: "name of the tunnel's interface (default: the one that runs)",
    },
    config: CONFIG_ARGUMENT,
    output: {
      type: "string",
      alias: "o",
      valueHint: "FILE",
      description: "write to a new file; - is standard output",
    },
  },
  async run({ args }) {
    const name = args.interface ?? (await chosenInterface(undefined));
    assertInterfaceName(name);
    const text = await bugreport(name, chosenFile(args.config, name));
    if (args.output === undefined || args.output === "-") return console.log(text);
    try {
      writeFileSync(args.output, `${text}\n`, { mode: 0o600, flag: "wx" });
    } catch (error) {
      throw new NetcombinerError(
        `cannot write ${args.output}, which must be a new file: ${problemOf(error)}`,
        EXIT.CANT_CREATE,
        {
          cause: error,
        },
      );
    }
  },
});

/** Returns the whole report. A section that fails says why, and the others are there all the same. */
async function bugreport(name: string, path: string): Promise<string> {
  const file = attempt(() => readFileSync(path, "utf8"));
  const redactor = new Redactor([hostname(), ...hostNames(file)]);
  const report = reportOf(name);
  const plain = colours({ isTTY: false }, {});
  const sections: [string, string][] = [
    ["Version", versionLine()],
    ["System", attempt(describeSystem)],
    ["Configuration", describeConfiguration(file)],
    ["Configuration check", checkConfiguration(path)],
    ["Show", await settle(report.then((found) => renderShow(found, plain)))],
    ["Counters", await settle(report.then((found) => renderMetrics([found]).replaceAll(/^#.*\n/gm, "")))],
    ["Log", await settle(askTunnel(name, "log").then(({ lines }) => (Array.isArray(lines) ? lines.join("\n") : "")))],
    ["Network", describeNetwork()],
  ];
  const title = `Bug report of ${name}, ${new Date().toISOString()}\nRead it before you pass it on: secrets that netcombiner could not recognize are still in it.`;
  return redactor.redact(
    [title, ...sections.map(([heading, text]) => `== ${heading}\n${text.trim() || "nothing"}`)].join("\n\n"),
  );
}

function describeSystem(): string {
  const distribution = attempt(
    () => /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "",
  );
  const { platform, arch } = process;
  return [
    `${platform} ${release()} ${arch}, ${distribution}`,
    `Bun ${Bun.version}, ${cpus().length} processors (${cpus()[0]?.model ?? "unknown"}), ${formatBytes(totalmem())} of memory`,
  ].join("\n");
}

/** Returns the faults of the configuration without the values that they quote. */
function checkConfiguration(path: string): string {
  const count = (links: readonly unknown[]) => `valid, ${formatCount(links.length, "link")}`;
  return attempt(() => count(loadConfiguration(path).links)).replaceAll(/; given .*$/gm, "; given (hidden)");
}

/** Returns the sections with the values that are harmless. Addresses are replaced later; every other value is hidden. */
function describeConfiguration(file: string): string {
  if (file.startsWith(NOT_AVAILABLE)) return file;
  const section = ({ name, entries }: IniSection) =>
    [`[${name}]`, ...entries.map(({ key, value }) => `${key} = ${harmless(key, value)}`)].join("\n");
  return parseIni(file).sections.map(section).join("\n\n");
}

function harmless(key: string, value: string): string {
  const isListed = [...PLAIN_KEYS, ...ADDRESS_KEYS].some((known) => known.toLowerCase() === key.toLowerCase());
  return isListed ? value : "(hidden)";
}

/** Returns the host names among the values of keys that hold addresses or names. */
function hostNames(file: string): string[] {
  const entries = parseIni(file).sections.flatMap((section) => section.entries);
  const isAddress = (key: string) => ADDRESS_KEYS.some((known) => known.toLowerCase() === key.toLowerCase());
  const words = entries.filter(({ key }) => isAddress(key)).flatMap(({ value }) => value.split(/[\s,]+|->/));
  return words.filter((word) => /[a-z]/i.test(word) && /^[\w.-]+$/.test(word) && parseEndpoint(word) === undefined);
}

function describeNetwork(): string {
  const commands =
    process.platform === "linux"
      ? [
          ["ip", "-brief", "address"],
          ["ip", "rule"],
          ["ip", "route", "show", "table", "all"],
          ["sysctl", "net.core.rmem_max", "net.core.wmem_max", "net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter"],
        ]
      : [
          ["ifconfig", "-a"],
          ["netstat", "-rn"],
          ["sysctl", "kern.ipc.maxsockbuf", "net.inet.ip.forwarding"],
        ];
  return commands.map((command) => `$ ${command.join(" ")}\n${runTool(command)}`).join("\n\n");
}

function runTool(command: readonly string[]): string {
  return attempt(() => {
    const { stdout, stderr } = Bun.spawnSync([...command], { timeout: TOOL_TIMEOUT_MS, stdin: "ignore" });
    return `${stdout}${stderr}`.trimEnd();
  });
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return `${NOT_AVAILABLE}${problemOf(error)})`;
  }
}

async function settle(text: Promise<string>): Promise<string> {
  return await text.catch((error: unknown) => `${NOT_AVAILABLE}${problemOf(error)})`);
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
