/** Routes and rules of ip(8). They carry a protocol number of ours, so that taking them back meets nobody else's. */
import type { Family } from "../request.ts";
import { command, type Step } from "../step.ts";
import type { LinuxState } from "./state.ts";

/** Free in /etc/iproute2/rt_protos. */
const PROTOCOL = 47;

/**
 * Where our rules stand among others (0 is the local table's, 32766 the main one's). Those of a host whose address goes
 * through the tunnel must come before the local table.
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

export function addRoute(family: Family, words: string, why: string, shared?: string): Step {
  return entry("route", family, words, `proto ${PROTOCOL}`, why, shared);
}

export function addRule(family: Family, priority: number, words: string, why: string, shared?: string): Step {
  return entry("rule", family, `${words} priority ${priority}`, `protocol ${PROTOCOL}`, why, shared);
}

function entry(kind: string, family: Family, words: string, tag: string, why: string, shared?: string): Step {
  const text = (verb: string) => command(`ip -${family} ${kind} ${verb} ${words} ${tag}`);
  return { why, do: [text("add")], undo: [text("del")], ...(shared === undefined ? {} : { shared }) };
}

/** The local table comes first of all by default; then nothing could send a local address elsewhere. */
export function localTableSteps(state: LinuxState, family: Family): Step {
  const behind = `ip -${family} rule add from all lookup local priority ${PRIORITY.local} protocol ${PROTOCOL}`;
  const isFirst = state.rules.some((rule) => rule.family === family && rule.priority === 0 && rule.table === 255);
  return {
    why: "addresses of this host may be elsewhere: the rule for them stands behind ours",
    do: [command(behind), command(`ip -${family} rule del from all lookup local priority 0`)],
    // As the kernel makes it, whose protocol number is 2.
    undo: [
      command(`ip -${family} rule add from all lookup local priority 0 protocol kernel`),
      command(behind.replace(" add ", " del ")),
    ],
    shared: `local table ${family}`,
    isDone: !isFirst,
  };
}

/** Numbers of tables: the one that was asked for, else and afterwards such that nothing uses. */
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

/** The tunnel as the way to everywhere; while it is away, nothing leaves beside it. */
export function defaultRoutes(name: string, family: Family, table: number): Step[] {
  return [
    addRoute(family, `default dev ${name} table ${table}`, "the tunnel leads everywhere"),
    addRoute(family, `blackhole default metric 9999 table ${table}`, "nothing leaves beside the tunnel without it"),
  ];
}
