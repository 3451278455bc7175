/** Builds routes and rules of ip(8). They carry a protocol number of their own, so that undoing removes no others. */
import type { Family } from "../request.ts";
import { command, type Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import type { LinuxState } from "./state.ts";

/** Protocol number of our routes and rules; unassigned in /etc/iproute2/rt_protos. */
const PROTOCOL = 47;

/**
 * Priorities of our rules (the local table's is 0, the main one's 32766). Those that send a local address through the
 * tunnel must precede the local table.
 */
export const PRIORITY = {
  staysHere: 1,
  toClient: 2,
  local: 3,
  linkNear: 4701,
  linkSpecific: 4702,
  link: 4703,
  nameService: 4710,
  marked: 4711,
  specific: 4712,
  tunnel: 4713,
  fromTunnel: 4714,
} as const;

/** Returns the step that adds a route. */
export function addRoute(family: Family, words: string, why: string, shared?: string): Step {
  return entry("route", family, words, `proto ${PROTOCOL}`, why, shared);
}

/** Returns the step that adds a routing rule. */
export function addRule(family: Family, priority: number, words: string, why: string, shared?: string): Step {
  return entry("rule", family, `${words} priority ${priority}`, `protocol ${PROTOCOL}`, why, shared);
}

function entry(kind: string, family: Family, words: string, tag: string, why: string, shared?: string): Step {
  const text = (verb: string) => command(`ip -${family} ${kind} ${verb} ${words} ${tag}`);
  return { why, do: [text("add")], undo: [text("del")], ...(shared === undefined ? {} : { shared }) };
}

/** Moves the rule for the local table behind ours: by default it is first, and no rule could route a local address elsewhere. */
export function localTableSteps(state: LinuxState, family: Family): Step {
  const behind = `ip -${family} rule add from all lookup local priority ${PRIORITY.local} protocol ${PROTOCOL}`;
  const isFirst = state.rules.some((rule) => rule.family === family && rule.priority === 0 && rule.table === 255);
  return {
    why: "addresses of this host may be routed elsewhere: move the rule for them behind ours",
    do: [command(behind), command(`ip -${family} rule del from all lookup local priority 0`)],
    // The kernel's own rule has its protocol number, 2.
    undo: [
      command(`ip -${family} rule add from all lookup local priority 0 protocol kernel`),
      command(behind.replace(" add ", " del ")),
    ],
    shared: `local table ${family}`,
    isDone: !isFirst,
  };
}

/** Returns a function that gives the wanted table first, then unused ones. */
export function tableNumbers(state: LinuxState, wanted: number | undefined, first: number): () => number {
  const used = new Set([...state.routes, ...state.rules].map(({ table }) => table));
  let next = wanted ?? first;
  let isWanted = wanted !== undefined;
  return () => {
    while (!isWanted && used.has(next)) next++;
    isWanted = false;
    return next++;
  };
}

/** Returns the default route through the tunnel, and a black hole so that nothing bypasses it while it is down. */
export function defaultRoutes(name: string, family: Family, table: number): Step[] {
  return [
    addRoute(family, `default dev ${name} table ${table}`, "default route through the tunnel"),
    addRoute(family, `blackhole default metric 9999 table ${table}`, "nothing bypasses the tunnel while it is down"),
  ];
}

/** Returns routes to the networks behind the peer. */
export function peerNetworkSteps(context: LinuxContext): Step[] {
  return context.configuration.system.peerNetworks.flatMap(({ family, address, prefix }) =>
    peerRoute(context, family, `${address}/${prefix}`, "network behind the peer"),
  );
}

/** Returns a route through the tunnel, in the main table unless another is configured. */
export function peerRoute({ name, configuration }: LinuxContext, family: Family, to: string, why: string): Step[] {
  const { table } = configuration.system;
  if (table === "off") return [];
  return [addRoute(family, `${to} dev ${name}${table === "auto" ? "" : ` table ${table}`}`, why)];
}
