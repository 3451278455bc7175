/** `netcombiner check`: reads a configuration as starting would, and says what is wrong with it. */
import { defineCommand } from "citty";
import { loadConfiguration } from "../config/load.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile, usageError } from "./arguments.ts";

export const checkCommand = defineCommand({
  meta: { name: "netcombiner check", description: "Check a configuration file; every fault is told at once" },
  args: {
    interface: { type: "positional", required: false, description: "name of the interface whose file is meant" },
    config: CONFIG_ARGUMENT,
  },
  run({ args }) {
    if (args.interface !== undefined) assertInterfaceName(args.interface);
    else if (args.config === undefined) throw usageError("check needs the name of an interface, or -c FILE");
    const path = chosenFile(args.config, args.interface ?? "");
    const { links } = loadConfiguration(path);
    console.log(`${path}: good, ${links.length} ${links.length === 1 ? "link" : "links"}`);
  },
});
