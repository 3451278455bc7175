/** `netcombiner bugreport nc0`: what somebody who helps needs to see, in one text, without keys, addresses and names of hosts. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, hostname, release, totalmem } from "node:os";
import { defineCommand } from "citty";
import { type IniSection, parseIni } from "../config/ini.ts";
import { loadConfiguration } from "../config/load.ts";
import { ADDRESS_KEYS, PLAIN_KEYS } from "../config/privacy.ts";
import { versionLine } from "../daemon/version.ts";
import { parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { renderMetrics } from "../monitor/metrics.ts";
import { Redactor } from "../monitor/redact.ts";
import { formatBytes, formatCount } from "../monitor/units.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile } from "./arguments.ts";
import { colours } from "./colour.ts";
import { askTunnel, chosenInterface, reportOf } from "./running.ts";
import { renderShow } from "./show-view.ts";

const TOOL_PATIENCE_MS = 2_000;
const NOT_TO_BE_HAD = "(not to be had: ";

export const bugreportCommand = defineCommand({
  meta: {
    name: "netcombiner bugreport",
    description: "Print what is needed to understand a fault, with keys, addresses and names of hosts taken out",
  },
  args: {
    interface: {
      type: "positional",
      required: false,
      description: "name of the interface; may be left out if one runs",
    },
    config: CONFIG_ARGUMENT,
    output: {
      type: "string",
      alias: "o",
      valueHint: "FILE",
      description: "write it to a new file instead; - is standard output",
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
      throw new NetcombinerError(`cannot write ${args.output}: ${problemOf(error)}`, EXIT.CANT_CREATE, {
        cause: error,
      });
    }
  },
});

/** A section that cannot be had says why, and the others are there all the same. */
async function bugreport(name: string, path: string): Promise<string> {
  const file = attempt(() => readFileSync(path, "utf8"));
  const redactor = new Redactor([hostname(), ...hostNames(file)]);
  const report = reportOf(name);
  const plain = colours({ isTTY: false }, {});
  const sections: [string, string][] = [
    ["Version", versionLine()],
    ["System", attempt(describeSystem)],
    ["Configuration", describeConfiguration(file)],
    ["Check of the configuration", checkConfiguration(path)],
    ["Show", await settle(report.then((found) => renderShow(found, plain)))],
    ["Counters", await settle(report.then((found) => renderMetrics([found]).replaceAll(/^#.*\n/gm, "")))],
    ["Log", await settle(askTunnel(name, "log").then(({ lines }) => (Array.isArray(lines) ? lines.join("\n") : "")))],
    ["Network", describeNetwork()],
  ];
  const title = `Bug report of ${name}, ${new Date().toISOString()}\nRead it before you hand it on: what it could not know to be secret is still in it.`;
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

/** The faults, without the values that they quote. */
function checkConfiguration(path: string): string {
  const count = (links: readonly unknown[]) => `good, ${formatCount(links.length, "link")}`;
  return attempt(() => count(loadConfiguration(path).links)).replaceAll(/; given .*$/gm, "; given (hidden)");
}

/** The sections with those values that are known to be harmless; addresses are replaced later, everything else is hidden. */
function describeConfiguration(file: string): string {
  if (file.startsWith(NOT_TO_BE_HAD)) return file;
  const section = ({ name, entries }: IniSection) =>
    [`[${name}]`, ...entries.map(({ key, value }) => `${key} = ${harmless(key, value)}`)].join("\n");
  return parseIni(file).sections.map(section).join("\n\n");
}

function harmless(key: string, value: string): string {
  const isListed = [...PLAIN_KEYS, ...ADDRESS_KEYS].some((known) => known.toLowerCase() === key.toLowerCase());
  return isListed ? value : "(hidden)";
}

/** Values of keys that hold addresses, where they are names instead. */
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
    const { stdout, stderr } = Bun.spawnSync([...command], { timeout: TOOL_PATIENCE_MS, stdin: "ignore" });
    return `${stdout}${stderr}`.trimEnd();
  });
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return `${NOT_TO_BE_HAD}${problemOf(error)})`;
  }
}

async function settle(text: Promise<string>): Promise<string> {
  return await text.catch((error: unknown) => `${NOT_TO_BE_HAD}${problemOf(error)})`);
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
