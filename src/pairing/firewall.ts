/**
 * Opens the tunnel's port in the firewall of the remote portal: ufw, firewalld, or nftables and iptables rules that drop by
 * default. Removes nothing.
 */
import { EXIT, NetcombinerError } from "../errors.ts";
import { type Machine, runStep } from "./machine.ts";

/** Opens UDP `port` and prints each step. Never fails: what cannot be done is printed with what to do instead. */
export function openFirewall(machine: Machine, port: number): void {
  try {
    const opened = [ufw, firewalld, nftables, pf].find((open) => open(machine, port));
    if (!opened) machine.print(`firewall: none found on this host that blocks UDP port ${port}`);
  } catch (error) {
    if (!(error instanceof NetcombinerError)) throw error;
    machine.print(`firewall: ${error.message}`);
    machine.print(`firewall: open UDP port ${port} by hand`);
  }
  machine.print(`If the provider of this host has a firewall too, open UDP port ${port} there as well.`);
}

function ufw(machine: Machine, port: number): boolean {
  if (!/^Status: active/m.test(machine.run(["ufw", "status"]).out)) return false;
  runStep(machine, ["ufw", "allow", `${port}/udp`, "comment", "netcombiner"]);
  return true;
}

function firewalld(machine: Machine, port: number): boolean {
  if (machine.run(["firewall-cmd", "--state"]).code !== 0) return false;
  runStep(machine, ["firewall-cmd", "--quiet", `--add-port=${port}/udp`]);
  runStep(machine, ["firewall-cmd", "--quiet", "--permanent", `--add-port=${port}/udp`]);
  return true;
}

interface ForeignChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

const COMMENT = "netcombiner";

/** Opens the port in input chains that drop by policy or by a last rule; those of iptables-nft are among them. */
function nftables(machine: Machine, port: number): boolean {
  const { code, out } = machine.run(["nft", "-j", "list", "ruleset"]);
  const chains = code === 0 ? closedChains(out, port) : [];
  if (chains.length === 0) return false;
  for (const { family, table, name } of chains) {
    const rule = ["udp", "dport", String(port), "accept", "comment", `"${COMMENT}"`];
    runStep(machine, ["nft", "insert", "rule", family, table, name, ...rule]);
  }
  machine.print("firewall: this rule is lost when the rules are reloaded; add it to /etc/nftables.conf to keep it");
  return true;
}

/** Returns the input chains of `nft -j list ruleset` that drop by default and do not accept the port yet. */
export function closedChains(json: string, port: number): ForeignChain[] {
  const objects = parseRuleset(json);
  return objects.flatMap(({ chain }) => {
    if (chain?.hook !== "input" || !["ip", "ip6", "inet"].includes(chain.family)) return [];
    const { family, table, name } = chain;
    const rules = objects.flatMap(({ rule }) =>
      rule && rule.family === family && rule.table === table && rule.chain === name ? [rule] : [],
    );
    const isClosed = chain.policy === "drop" || isFinalDrop(rules.at(-1)?.expr);
    const isOpen = rules.some((rule) => accepts(rule.expr, port));
    return isClosed && !isOpen ? [{ family, table, name }] : [];
  });
}

interface RulesetObject {
  readonly chain?: ForeignChain & { readonly hook?: string; readonly policy?: string };
  readonly rule?: { readonly family: string; readonly table: string; readonly chain: string; readonly expr: unknown };
}

function parseRuleset(json: string): readonly RulesetObject[] {
  try {
    const { nftables } = JSON.parse(json) as { nftables?: readonly RulesetObject[] };
    return Array.isArray(nftables) ? nftables : [];
  } catch (error) {
    throw new NetcombinerError("cannot parse the output of nft", EXIT.OS, { cause: error });
  }
}

/** True if the rule drops or rejects everything, with or without a counter. */
function isFinalDrop(expressions: unknown): boolean {
  if (!Array.isArray(expressions)) return false;
  const verdicts = expressions.filter((expression) => !("counter" in expression));
  return verdicts.length === 1 && ("drop" in verdicts[0] || "reject" in verdicts[0]);
}

function accepts(expressions: unknown, port: number): boolean {
  const text = JSON.stringify(expressions);
  return text.includes(`{"protocol":"udp","field":"dport"}},"right":${port}}`) && text.includes('"accept"');
}

/** Prints what to add to pf.conf, a file that belongs to the administrator. */
function pf(machine: Machine, port: number): boolean {
  if (!/^Status: Enabled/m.test(machine.run(["pfctl", "-s", "info"]).out)) return false;
  machine.print(`firewall: pf is on; add to /etc/pf.conf and load it with "pfctl -f /etc/pf.conf":`);
  machine.print(`    pass in proto udp to port ${port}`);
  return true;
}
