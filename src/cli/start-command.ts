/** Implements `netcombiner nc0`, which starts a tunnel in the background and returns when it runs. */
import { defineCommand } from "citty";
import { startInBackground } from "../daemon/process/handover.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile } from "./arguments.ts";
import type { Program } from "./program.ts";

export function startCommand(program: Program) {
  return defineCommand({
    meta: {
      name: "netcombiner",
      description:
        "Combines several Internet links into one tunnel. Starts it in the background; without arguments, shows the running tunnels",
    },
    args: {
      interface: { type: "positional", required: true, description: "name of the tunnel's interface, like nc0" },
      config: CONFIG_ARGUMENT,
    },
    async run({ args }) {
      assertInterfaceName(args.interface);
      await startInBackground(args.interface, chosenFile(args.config, args.interface), program.entry);
    },
  });
}
