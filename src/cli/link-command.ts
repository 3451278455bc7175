/** Implements `netcombiner link lte down`, which changes a link of a running tunnel until the tunnel is restarted. */
import { defineCommand } from "citty";
import { METRIC_BOUNDS } from "../config/defaults.ts";
import { usageError } from "./arguments.ts";
import { askTunnel, chosenInterface } from "./running.ts";

const ACTIONS = 'expected "down", "up", "metric NUMBER" or "metric default"';

export const linkCommand = defineCommand({
  meta: {
    name: "netcombiner link",
    description: "Take a link of a running tunnel down or up, or change its metric; the configuration stays as it is",
  },
  args: {
    name: {
      type: "positional",
      required: true,
      description: "name of the link, as netcombiner show prints it",
      valueHint: "LINK",
    },
    action: {
      type: "positional",
      required: true,
      description: "down, up, or metric followed by a number or default",
      valueHint: "down|up|metric",
    },
    // The third argument depends on the action: a metric, or already the interface.
    value: { type: "positional", required: false, description: "the metric" },
    interface: { type: "positional", required: false, description: "name of the tunnel's interface, if several run" },
  },
  async run({ args }) {
    const change = parseChange(args.action, args.value);
    const named = args.action === "metric" ? args.interface : args.value;
    if (args.action !== "metric" && args.interface !== undefined) {
      throw usageError(`unexpected argument: ${args.interface}`);
    }
    const interfaceName = await chosenInterface(named);
    await askTunnel(interfaceName, "link", { parameters: { link: args.name, ...change } });
  },
});

function parseChange(action: string, value: string | undefined) {
  if (action === "down" || action === "up") return { action };
  if (action !== "metric") throw usageError(`unknown action "${action}": ${ACTIONS}`);
  if (value === "default") return { action, metric: value };
  const { min, max } = METRIC_BOUNDS;
  const metric = Number(value);
  if (value !== undefined && /^\d{1,5}$/.test(value) && metric <= max) return { action, metric };
  throw usageError(
    `metric: expected a number from ${min} to ${max}, or "default" for the configured one; given ${value ?? "nothing"}`,
  );
}
