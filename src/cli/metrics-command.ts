/** Implements `netcombiner metrics`, which prints the metrics of the running tunnels without the listener of `Metrics` in [Host]. */
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import { replaceFile } from "../host/replace-file.ts";
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
      description: '"print", or "write" for the textfile collector of node_exporter',
      valueHint: "print|write",
    },
    target: {
      type: "positional",
      required: false,
      description: "with write: the file, replaced atomically",
      valueHint: "FILE",
    },
    interface: {
      type: "positional",
      required: false,
      description: "name of the tunnel's interface (default: all that run)",
    },
  },
  async run({ args }) {
    if (args.action === "print") {
      if (args.interface !== undefined) throw usageError(`unexpected argument: ${args.interface}`);
      process.stdout.write(await metricsOf(args.target));
      return;
    }
    if (args.action !== "write") throw usageError(`unknown action "${args.action}": expected "print" or "write"`);
    if (args.target === undefined) throw usageError("metrics write needs the name of a file");
    replace(args.target, await metricsOf(args.interface));
  },
});

async function metricsOf(name: string | undefined): Promise<string> {
  if (name !== undefined) assertInterfaceName(name);
  return renderMetrics(name === undefined ? await reportAll() : [await reportOf(name)]);
}

/** Replaces a file, with an error that names it. */
function replace(path: string, text: string): void {
  try {
    replaceFile(path, text, 0o644);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot write ${path}: ${problem}`, EXIT.CANT_CREATE, { cause: error });
  }
}
