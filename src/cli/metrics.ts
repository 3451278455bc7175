/** `netcombiner metrics`: the metrics of the running tunnels, without the listener that `Metrics` in [Host] opens. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import { renderMetrics } from "../monitor/metrics.ts";
import { assertInterfaceName, usageError } from "./arguments.ts";
import { reportAll, reportOf } from "./running.ts";

export const metricsCommand = defineCommand({
  meta: {
    name: "netcombiner metrics",
    description: "Print metrics in the Prometheus text format, or write them to a file",
  },
  args: {
    action: {
      type: "positional",
      required: true,
      description: '"print", or "write" for the text file collector of node_exporter',
      valueHint: "print|write",
    },
    target: {
      type: "positional",
      required: false,
      description: "with write: the file, replaced at once",
      valueHint: "FILE",
    },
    interface: { type: "positional", required: false, description: "name of one interface; all that run without it" },
  },
  async run({ args }) {
    if (args.action === "print") {
      if (args.interface !== undefined) throw usageError(`one word too many: ${args.interface}`);
      process.stdout.write(await metricsOf(args.target));
      return;
    }
    if (args.action !== "write") throw usageError(`metrics can "print" and "write", not "${args.action}"`);
    if (args.target === undefined) throw usageError("metrics write needs the name of a file");
    replace(args.target, await metricsOf(args.interface));
  },
});

async function metricsOf(name: string | undefined): Promise<string> {
  if (name !== undefined) assertInterfaceName(name);
  return renderMetrics(name === undefined ? await reportAll() : [await reportOf(name)]);
}

/** Whoever reads the file sees all of the old one or all of the new one. */
function replace(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, text, { mode: 0o644 });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot write ${path}: ${problem}`, EXIT.CANT_CREATE, { cause: error });
  }
}
