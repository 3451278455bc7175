/** Implements `netcombiner run nc0`, which runs a tunnel in the foreground, for a supervisor or to watch its log. */
import { defineCommand } from "citty";
import { runTunnel } from "../daemon/process/run-tunnel.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile } from "./arguments.ts";
import type { Program } from "./program.ts";

export function runTunnelCommand(program: Program) {
  return defineCommand({
    meta: {
      name: "netcombiner run",
      description: "Run a tunnel in the foreground until SIGTERM or Ctrl-C; SIGHUP reloads",
    },
    args: {
      interface: { type: "positional", required: true, description: "name of the tunnel's interface, like nc0" },
      config: CONFIG_ARGUMENT,
      up: {
        type: "boolean",
        description: "also set up routes, rules and firewall as up does, and undo them at the end",
      },
    },
    async run({ args }) {
      assertInterfaceName(args.interface);
      const path = chosenFile(args.config, args.interface);
      const exitCode = await runTunnel(args.interface, path, program.createThread, args.up === true);
      // The worker's thread must not keep the process alive.
      process.exit(exitCode);
    },
  });
}
