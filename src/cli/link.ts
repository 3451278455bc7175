/** `netcombiner link lte down`: changes a link of a running tunnel, until the tunnel is started anew. */
import { defineCommand } from "citty";
import { METRIC_BOUNDS } from "../config/defaults.ts";
import { usageError } from "./arguments.ts";
import { askTunnel, chosenInterface } from "./running.ts";

const HOW = 'say "down", "up", "metric NUMBER" or "metric default"';

export const linkCommand = defineCommand({
  meta: {
    name: "netcombiner link",
    description: "Take a link of a running tunnel down or up, or change its metric; the configuration stays as it is",
  },
  args: {
    name: {
      type: "positional",
      required: true,
      description: "name of the link, as netcombiner show has it",
      valueHint: "LINK",
    },
    action: {
      type: "positional",
      required: true,
      description: "down, up, or metric with a number (or default)",
      valueHint: "down|up|metric",
    },
    // What comes third depends on the action.
    value: { type: "positional", required: false, description: "the metric" },
    interface: { type: "positional", required: false, description: "name of the tunnel's interface, if several run" },
  },
  async run({ args }) {
    const change = parseChange(args.action, args.value);
    const named = args.action === "metric" ? args.interface : args.value;
    if (args.action !== "metric" && args.interface !== undefined) {
      throw usageError(`one word too many: ${args.interface}`);
    }
    const interfaceName = await chosenInterface(named);
    await askTunnel(interfaceName, "link", { parameters: { link: args.name, ...change } });
  },
});

function parseChange(action: string, value: string | undefined) {
  if (action === "down" || action === "up") return { action };
  if (action !== "metric") throw usageError(`cannot make a link "${action}": ${HOW}`);
  if (value === "default") return { action, metric: value };
  const { min, max } = METRIC_BOUNDS;
  const metric = Number(value);
  if (value !== undefined && /^\d{1,5}$/.test(value) && metric <= max) return { action, metric };
  throw usageError(`a metric is a number of ${min} to ${max}, or "default" for the configured one`);
}
