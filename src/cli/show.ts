/** `netcombiner show`: how the running tunnels are doing. */
import { defineCommand } from "citty";
import { controlledInterfaces, type TunnelReport } from "../daemon/control-client.ts";
import { assertInterfaceName } from "./arguments.ts";
import { colours } from "./colour.ts";
import { renderReport } from "./report.ts";
import { askTunnel, isNotRunning } from "./running.ts";

const WATCH_MS = 1_000;
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";

export const showCommand = defineCommand({
  meta: { name: "netcombiner show", description: "Show the running tunnels, their links and paths" },
  args: {
    interface: { type: "positional", required: false, description: "name of one interface; all that run without it" },
    json: { type: "boolean", description: "everything, as JSON: an object for one interface, otherwise an array" },
    watch: { type: "boolean", description: "again every second, until Ctrl-C" },
  },
  async run({ args }) {
    const name: string | undefined = args.interface;
    if (name !== undefined) assertInterfaceName(name);
    if (!args.watch) return console.log(await render(name, args.json === true, 2));
    process.on("SIGINT", () => process.exit(0));
    const clear = process.stdout.isTTY && !args.json ? CLEAR : "";
    for (;;) {
      console.log(`${clear}${await render(name, args.json === true, 0)}`);
      await Bun.sleep(WATCH_MS);
    }
  },
});

async function render(name: string | undefined, isJson: boolean, indent: number): Promise<string> {
  const reports = name === undefined ? await reportAll() : [await reportOf(name)];
  if (isJson) {
    const values = reports.map(({ snapshot, ...rest }) => ({ ...rest, ...snapshot }));
    return JSON.stringify(name === undefined ? values : values[0], undefined, indent);
  }
  const c = colours(process.stdout);
  return reports.map((report) => renderReport(report, c)).join("\n\n") || "no tunnel is running";
}

async function reportOf(name: string): Promise<TunnelReport> {
  const { ok: _, ...report } = await askTunnel(name, "show");
  return report as unknown as TunnelReport;
}

/** A socket that nobody answers at is one left behind, not a tunnel. */
async function reportAll(): Promise<TunnelReport[]> {
  const reports = controlledInterfaces().map((name) =>
    reportOf(name).catch((error: unknown) => {
      if (isNotRunning(error)) return undefined;
      throw error;
    }),
  );
  return (await Promise.all(reports)).filter((report) => report !== undefined);
}
