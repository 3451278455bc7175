/** Implements `netcombiner netcheck`, which checks each link of a running tunnel, or of one that it starts for the check. */
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { defineCommand } from "citty";
import type { Configuration } from "../config/configuration.ts";
import { loadConfiguration } from "../config/load.ts";
import { askControl, controlledInterfaces } from "../daemon/control/client.ts";
import { configurationFile, socketPath } from "../daemon/process/locations.ts";
import { withTrial } from "../daemon/trial.ts";
import { parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { checkEgress, type Egress } from "../host/egress.ts";
import type { LinkSnapshot, TunnelSnapshot } from "../portal/snapshot.ts";
import { assertInterfaceName, usageError } from "./arguments.ts";
import { colours } from "./colour.ts";
import { judgeLink, type LinkFindings, renderFindings } from "./netcheck-view.ts";
import type { NamedEcho } from "./ping-command.ts";
import type { Program } from "./program.ts";
import { isRunning } from "./running.ts";
import { settled } from "./settled.ts";

const ECHO_WAIT_MS = 2_000;

export function netcheckCommand(program: Program) {
  return defineCommand({
    meta: {
      name: "netcombiner netcheck",
      description:
        "Check each link: peer, NAT, MTU, socket buffers and routing; a tunnel that does not run is started for the check",
    },
    args: {
      tunnel: {
        type: "positional",
        required: false,
        description: "name of the tunnel's interface, or the path of a configuration file, with a slash",
      },
      link: { type: "string", valueHint: "NAME", description: "check this link only" },
      json: { type: "boolean", description: "print JSON" },
    },
    async run({ args }) {
      const { path, socket } = await locate(args.tunnel);
      const configuration = loadConfiguration(path);
      const look = (at: string) => lookAt(at, configuration, args.link);
      const found = await (socket === undefined ? withTrial(path, program.createThread, look) : look(socket));
      const c = colours(process.stdout);
      console.log(
        args.json ? JSON.stringify(found, undefined, 2) : found.map((link) => renderFindings(link, c)).join("\n"),
      );
      const bad = found.filter((link) => !link.isGood).map((link) => link.name);
      if (bad.length > 0) throw new NetcombinerError(`not every link is good: ${bad.join(", ")}`, EXIT.UNAVAILABLE);
    },
  });
}

interface Located {
  readonly path: string;
  /** Control socket of the tunnel that runs with this file; undefined when none does. */
  readonly socket: string | undefined;
}

/** Finds the tunnel. A running one is never started a second time, since its peer would take that for a restart. */
async function locate(word: string | undefined): Promise<Located> {
  const running = await runningTunnels();
  if (word?.includes("/")) {
    const path = resolve(word);
    return { path, socket: running.find((tunnel) => tunnel.path === path)?.socket };
  }
  if (word === undefined) {
    const [only, ...others] = running;
    if (only && others.length === 0) return only;
    throw usageError(
      only ? "several tunnels are running: name one" : "no tunnel is running: name an interface or a file",
    );
  }
  assertInterfaceName(word);
  const own = running.find((tunnel) => tunnel.name === word);
  return own ?? { path: configurationFile(word), socket: undefined };
}

async function runningTunnels() {
  const names = controlledInterfaces();
  const isUp = await Promise.all(names.map((name) => isRunning(name)));
  const answers = names
    .filter((_, i) => isUp[i])
    .map(async (name) => {
      const socket = socketPath(name);
      const { configuration } = await askControl(socket, "status");
      return { name, socket, path: String(configuration) };
    });
  return await Promise.all(answers);
}

async function lookAt(socket: string, configuration: Configuration, only: string | undefined): Promise<LinkFindings[]> {
  const isChosen = ({ name }: LinkSnapshot) => only === undefined || name === only;
  const read = async () => (await askControl(socket, "show")).snapshot as TunnelSnapshot;
  const { snapshot, failures } = await settled(read, isMeasured, isChosen);
  const chosen = snapshot.links.filter(isChosen);
  if (chosen.length === 0) {
    throw usageError(`no link ${only}; there are ${snapshot.links.map(({ name }) => name).join(", ")}`);
  }
  const { echoes } = await askControl(socket, "ping", { parameters: { wait: ECHO_WAIT_MS } });
  return chosen.map((link) =>
    judgeLink({
      link,
      reason: failures.get(link.name) ?? link.reason,
      echoes: (echoes as NamedEcho[]).filter((echo) => echo.link === link.name && !echo.isBest),
      sockets: snapshot.sockets.filter((entry) => entry.link === link.id),
      egress: egressOf(link, configuration),
    }),
  );
}

const upPaths = (link: LinkSnapshot) => link.paths.filter((path) => path.state === "up");

/** True if the round-trip time and the MTU of every path are known. */
function isMeasured(link: LinkSnapshot): boolean {
  const up = upPaths(link);
  return up.length > 0 && up.every((path) => path.rtt.smoothed > 0 && path.mtuState !== "searching");
}

/** Returns where datagrams of the link leave; undefined if the peer's address is unknown, or for a listening link. */
function egressOf(link: LinkSnapshot, { links, system }: Configuration): Egress | undefined {
  const transport = links.find(({ settings }) => settings.name === link.name)?.transport;
  const to = link.paths[0]?.remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1") ?? transport?.remoteHost;
  const remote = to === undefined ? undefined : parseEndpoint(to);
  if (!transport || !remote || link.role === "listen") return undefined;
  return checkEgress({ remote, interface: transport.localInterface, mark: system.fwMark }, networkInterfaces);
}
