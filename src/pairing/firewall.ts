/**
 * Lets the tunnel's port through the firewall of the remote portal, where it is one we know: ufw, firewalld, or nftables and
 * iptables rules that drop what they do not know. Nothing is ever taken out.
 */
import { EXIT, NetcombinerError } from "../errors.ts";
import { type Machine, step } from "./machine.ts";

/** Lets UDP `port` in and tells each step. Never fails: what cannot be done is told with what to do instead. */
export function openFirewall(machine: Machine, port: number): void {
  try {
    const opened = [ufw, firewalld, nftables, pf].find((open) => open(machine, port));
    if (!opened) machine.tell(`firewall: none found on this host that keeps UDP port ${port} out`);
  } catch (error) {
    if (!(error instanceof NetcombinerError)) throw error;
    machine.tell(`firewall: ${error.message}`);
    machine.tell(`firewall: let UDP port ${port} in by hand`);
  }
  machine.tell(`If the provider of this host has a firewall of its own, let UDP port ${port} in there too.`);
}

function ufw(machine: Machine, port: number): boolean {
  if (!/^Status: active/m.test(machine.run(["ufw", "status"]).out)) return false;
  step(machine, ["ufw", "allow", `${port}/udp`, "comment", "netcombiner"]);
  return true;
}

function firewalld(machine: Machine, port: number): boolean {
  if (machine.run(["firewall-cmd", "--state"]).code !== 0) return false;
  step(machine, ["firewall-cmd", "--quiet", `--add-port=${port}/udp`]);
  step(machine, ["firewall-cmd", "--quiet", "--permanent", `--add-port=${port}/udp`]);
  return true;
}

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

const COMMENT = "netcombiner";

/** Chains that see what comes in, and drop by policy or by a last rule. Rules of iptables-nft are chains like all others. */
function nftables(machine: Machine, port: number): boolean {
  const { code, out } = machine.run(["nft", "-j", "list", "ruleset"]);
  const chains = code === 0 ? closedChains(out, port) : [];
  if (chains.length === 0) return false;
  for (const { family, table, name } of chains) {
    const rule = ["udp", "dport", String(port), "accept", "comment", `"${COMMENT}"`];
    step(machine, ["nft", "insert", "rule", family, table, name, ...rule]);
  }
  machine.tell("firewall: the rule lasts until the rules are loaded anew; add it to /etc/nftables.conf to keep it");
  return true;
}

/** Input chains of `nft -j list ruleset` that end in a drop and do not let the port in yet. */
export function closedChains(json: string, port: number): Chain[] {
  const objects = parseRuleset(json);
  return objects.flatMap(({ chain }) => {
    if (chain?.hook !== "input" || !["ip", "ip6", "inet"].includes(chain.family)) return [];
    const { family, table, name } = chain;
    const rules = objects.flatMap(({ rule }) =>
      rule && rule.family === family && rule.table === table && rule.chain === name ? [rule] : [],
    );
    const isClosed = chain.policy === "drop" || isFinalDrop(rules.at(-1)?.expr);
    const isOpen = rules.some((rule) => letsIn(rule.expr, port));
    return isClosed && !isOpen ? [{ family, table, name }] : [];
  });
}

interface RulesetObject {
  readonly chain?: Chain & { readonly hook?: string; readonly policy?: string };
  readonly rule?: { readonly family: string; readonly table: string; readonly chain: string; readonly expr: unknown };
}

function parseRuleset(json: string): readonly RulesetObject[] {
  try {
    const { nftables } = JSON.parse(json) as { nftables?: readonly RulesetObject[] };
    return Array.isArray(nftables) ? nftables : [];
  } catch (error) {
    throw new NetcombinerError("what nft says of its rules makes no sense", EXIT.OS, { cause: error });
  }
}

/** A last rule that drops or rejects everything, counted or not. */
function isFinalDrop(expressions: unknown): boolean {
  if (!Array.isArray(expressions)) return false;
  const verdicts = expressions.filter((expression) => !("counter" in expression));
  return verdicts.length === 1 && ("drop" in verdicts[0] || "reject" in verdicts[0]);
}

function letsIn(expressions: unknown, port: number): boolean {
  const text = JSON.stringify(expressions);
  return text.includes(`{"protocol":"udp","field":"dport"}},"right":${port}}`) && text.includes('"accept"');
}

/** pf has its rules in one file that belongs to somebody: it is told what to add. */
function pf(machine: Machine, port: number): boolean {
  if (!/^Status: Enabled/m.test(machine.run(["pfctl", "-s", "info"]).out)) return false;
  machine.tell(`firewall: pf is on; add to /etc/pf.conf and load it with "pfctl -f /etc/pf.conf":`);
  machine.tell(`    pass in proto udp to port ${port}`);
  return true;
}
