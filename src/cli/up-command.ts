/** Implements `netcombiner up nc0`, which starts a tunnel in the background and sets up the host around it. */
import { defineCommand } from "citty";
import { loadConfiguration } from "../config/load.ts";
import { startInBackground } from "../daemon/process/handover.ts";
import { describeUp } from "../host/system.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile, DRY_RUN_ARGUMENT } from "./arguments.ts";
import type { Program } from "./program.ts";

export function upCommand(program: Program) {
  return defineCommand({
    meta: {
      name: "netcombiner up",
      description: "Start a tunnel and set up addresses, routes, rules and firewall from its configuration",
    },
    args: {
      interface: { type: "positional", required: true, description: "name of the tunnel's interface, like nc0" },
      config: CONFIG_ARGUMENT,
      "dry-run": DRY_RUN_ARGUMENT,
    },
    async run({ args }) {
      assertInterfaceName(args.interface);
      const path = chosenFile(args.config, args.interface);
      if (args["dry-run"]) {
        const file = args.config === undefined ? "" : ` -c ${path}`;
        const start = `netcombiner ${args.interface}${file}`;
        return console.log(await describeUp(args.interface, loadConfiguration(path), start));
      }
      const onProgress = (line: string) => console.error(line);
      await startInBackground(args.interface, path, program.entry, { setsUp: true, onProgress });
    },
  });
}
