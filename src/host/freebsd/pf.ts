/** Rules of pf(4) in an anchor of the tunnel's own, loaded and flushed as a whole. */
import { EXIT, NetcombinerError } from "../../errors.ts";
import type { Family } from "../request.ts";
import { command, type Step } from "../step.ts";
import type { FreebsdState } from "./state.ts";

/** @param rules translation before filtering, as pf.conf(5) wants it */
export function pfSteps(interfaceName: string, rules: readonly string[], { pf }: FreebsdState): Step[] {
  if (rules.length === 0) return [];
  if (pf.missingAnchors.length > 0) {
    const lines = pf.missingAnchors.map((line) => `  ${line}`).join("\n");
    const advice = "add these lines, translation first, and load it with pfctl -f /etc/pf.conf";
    throw new NetcombinerError(`/etc/pf.conf has no place for our rules: ${advice}\n${lines}`, EXIT.CONFIG);
  }
  const anchor = `netcombiner/${interfaceName}`;
  return [
    {
      why: "packets are filtered",
      do: [command("pfctl -q -e")],
      undo: [command("pfctl -q -d")],
      shared: "pf",
      isDone: pf.isEnabled,
    },
    {
      why: "routing by rules, and translation of addresses",
      do: [{ argv: ["pfctl", "-q", "-a", anchor, "-f", "-"], input: `${rules.join("\n")}\n` }],
      undo: [command(`pfctl -q -a ${anchor} -F rules`), command(`pfctl -q -a ${anchor} -F nat`)],
    },
  ];
}

export function pfInet(family: Family): "inet" | "inet6" {
  return family === 6 ? "inet6" : "inet";
}

/** `{ a, b }`; one alone without braces. */
export function pfList(items: readonly (string | number)[]): string {
  return items.length === 1 ? String(items[0]) : `{ ${items.join(", ")} }`;
}
