/** Loads rules of pf(4) into the tunnel's own anchor, and flushes them as a whole. */
import { EXIT, NetcombinerError } from "../../errors.ts";
import type { Family } from "../request.ts";
import { command, type Step } from "../step.ts";
import type { FreebsdState } from "./state.ts";

/** Returns the steps that load the rules. @param rules translation before filtering, as pf.conf(5) demands */
export function pfSteps(interfaceName: string, rules: readonly string[], { pf }: FreebsdState): Step[] {
  if (rules.length === 0) return [];
  if (pf.missingAnchors.length > 0) {
    const lines = pf.missingAnchors.map((line) => `  ${line}`).join("\n");
    const advice = "add these lines, translation first, and load it with pfctl -f /etc/pf.conf";
    throw new NetcombinerError(`/etc/pf.conf does not refer to netcombiner's rules: ${advice}\n${lines}`, EXIT.CONFIG);
  }
  const anchor = `netcombiner/${interfaceName}`;
  return [
    {
      why: "enable pf",
      do: [command("pfctl -q -e")],
      undo: [command("pfctl -q -d")],
      shared: "pf",
      isDone: pf.isEnabled,
    },
    {
      why: "rules for routing and address translation",
      do: [{ argv: ["pfctl", "-q", "-a", anchor, "-f", "-"], input: `${rules.join("\n")}\n` }],
      undo: [command(`pfctl -q -a ${anchor} -F rules`), command(`pfctl -q -a ${anchor} -F nat`)],
    },
  ];
}

/** Returns pf's name of the IP version. */
export function pfInet(family: Family): "inet" | "inet6" {
  return family === 6 ? "inet6" : "inet";
}

/** Returns a list like `{ a, b }`; a single item has no braces. */
export function pfList(items: readonly (string | number)[]): string {
  return items.length === 1 ? String(items[0]) : `{ ${items.join(", ")} }`;
}
