/** Implements `netcombiner check`, which reads a configuration as a start would and reports its faults. */
import { defineCommand } from "citty";
import { loadConfiguration } from "../config/load.ts";
import { formatCount } from "../monitor/units.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile, usageError } from "./arguments.ts";

export const checkCommand = defineCommand({
  meta: { name: "netcombiner check", description: "Check a configuration file; every fault is reported at once" },
  args: {
    interface: { type: "positional", required: false, description: "name of the interface whose file is checked" },
    config: CONFIG_ARGUMENT,
  },
  run({ args }) {
    if (args.interface !== undefined) assertInterfaceName(args.interface);
    else if (args.config === undefined) throw usageError("check needs the name of an interface or -c FILE");
    const path = chosenFile(args.config, args.interface ?? "");
    const { links } = loadConfiguration(path);
    console.log(`${path}: valid, ${formatCount(links.length, "link")}`);
  },
});
