/** Plans NAT at the remote portal: hosts behind the local portal use its address, and forwarded ports go to them. */
import type { Forward } from "../../config/system-values.ts";
import { type Family, forwardTargets, portText } from "../request.ts";
import type { Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { PRIVATE_SIX, remoteGuard } from "./guard.ts";
import { type Chain, nftSteps, valueSet } from "./nft.ts";
import { peerRoute } from "./routes.ts";

export function natSteps(context: LinuxContext, families: readonly Family[]): Step[] {
  const { name, configuration } = context;
  const chains = [
    { name: "prerouting", base: "nat hook prerouting priority dstnat", rules: forwardRules(context) },
    ...remoteGuard(context, families),
    { name: "postrouting", base: "nat hook postrouting priority srcnat", rules: masqueradeRules(context, families) },
  ] satisfies Chain[];
  return [
    ...forwardTargets(configuration).flatMap(({ family, address }) =>
      peerRoute(context, family, address, "a port is forwarded to this host"),
    ),
    ...nftSteps(name, chains, "NAT for hosts behind the tunnel, and forwarded ports"),
  ];
}

/** Returns the rules that forward ports, for connections from behind the tunnel too. */
function forwardRules({ configuration, request: { ssh } }: LinuxContext): string[] {
  const { forwards } = configuration.system;
  if (forwards.length === 0) return [];
  const isOurs = ({ family }: Forward) => {
    const inner = configuration.addresses.filter((address) => address.family === family);
    const others = inner.length === 0 ? "" : ` ${ip(family)} daddr != ${valueSet(inner.map(({ address }) => address))}`;
    return `fib daddr type local${others}`;
  };
  const redirects = forwards.map((forward) => `${isOurs(forward)} ${redirect(forward)}`);
  if (!ssh) return redirects;
  const { client, clientPort, serverPort } = ssh;
  const session = `${ip(client.includes(":") ? 6 : 4)} saddr ${client} tcp sport ${clientPort} tcp dport ${serverPort} accept`;
  return [session, ...redirects];
}

function redirect(forward: Forward): string {
  const { protocol, family, address, port } = forward;
  const target = port === undefined ? address : family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  return `${protocol} dport ${portText(forward)} dnat ${ip(family)} to ${target}`;
}

function masqueradeRules({ name, configuration }: LinuxContext, families: readonly Family[]): string[] {
  const { masquerade, forwards } = configuration.system;
  if (!masquerade) return [];
  const leaves = `iifname "${name}" oifname != "${name}"`;
  return [
    ...families.map(
      (family) => `${leaves} ${family === 4 ? "meta nfproto ipv4" : `ip6 saddr ${PRIVATE_SIX}`} masquerade`,
    ),
    // Where a host behind the tunnel connects to a forwarded port, the answer has to pass here too.
    ...(forwards.length === 0 ? [] : [`iifname "${name}" oifname "${name}" ct status dnat masquerade`]),
  ];
}

function ip(family: Family): "ip" | "ip6" {
  return family === 4 ? "ip" : "ip6";
}
