/** Implements `netcombiner reload nc0`, which does what SIGHUP does and prints the outcome. */
import { defineCommand } from "citty";
import { assertInterfaceName } from "./arguments.ts";
import { askTunnel } from "./running.ts";

export const reloadCommand = defineCommand({
  meta: {
    name: "netcombiner reload",
    description: "Read the configuration again; links that did not change keep running",
  },
  args: { interface: { type: "positional", required: true, description: "name of the tunnel's interface, like nc0" } },
  async run({ args }) {
    assertInterfaceName(args.interface);
    const { kept, added, removed, needsRestart } = await askTunnel(args.interface, "reload");
    console.log(`${args.interface}: links kept ${kept}, added ${added}, removed ${removed}`);
    const keys = Array.isArray(needsRestart) ? needsRestart.join(", ") : "";
    if (keys !== "")
      console.log(`${args.interface}: ${keys} changed in [Host]; restart the tunnel for that to take effect`);
  },
});
