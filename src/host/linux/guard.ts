/**
 * Filters what comes out of the tunnel, and what goes into it, where the peer is not to reach everything this host reaches.
 * The core checks the source of each packet; these rules decide what it may open a connection to.
 */
import type { Network } from "../../config/system-schema.ts";
import { FAMILIES, type Family, PRIVATE, portText, SPEED_TEST_PORT } from "../request.ts";
import type { LinuxContext } from "./context.ts";
import { type Chain, valueSet } from "./nft.ts";

/** Unique local IPv6 addresses (RFC 4193), which the Internet does not route; others need no NAT. */
export const PRIVATE_SIX = "fc00::/7";

/**
 * Returns the chains of the remote portal: hosts behind the tunnel reach the Internet, this host's addresses in the tunnel and
 * its public ones, and OpenNetworks. With NAT, only OpenNetworks and forwarded ports reach hosts behind the tunnel.
 */
export function remoteGuard(context: LinuxContext, families: readonly Family[]): Chain[] {
  const { name, configuration } = context;
  const { openNetworks, masquerade } = configuration.system;
  const out = `iifname "${name}"`;
  const into = `iifname != "${name}" oifname "${name}"`;
  const closed = FAMILIES.map((family) => `${out} ${ip(family)} daddr ${valueSet(PRIVATE[family])} counter drop`);
  const open = matches(out, "daddr", openNetworks);
  const unasked = families.map(
    (family) => `${into} ct state new ${family === 4 ? "meta nfproto ipv4" : `ip6 daddr ${PRIVATE_SIX}`} counter drop`,
  );
  return [
    filter("input", [
      `${out} ct state established,related accept`,
      ...matches(out, "daddr", inner(context)),
      ...open,
      ...closed,
    ]),
    filter("forward", [
      "ct state established,related accept",
      // Ports that Forward or other programs publish on purpose.
      "ct status dnat accept",
      `${out} oifname "${name}" accept`,
      ...open,
      ...closed,
      ...(masquerade ? [...matches(into, "saddr", openNetworks), ...unasked] : []),
    ]),
  ];
}

/**
 * Returns the chains of the local portal: out of the tunnel come answers, pings of its address in the tunnel, speed tests, and
 * connections to the client, to OpenNetworks and to the targets of Forward; nothing else.
 */
export function localGuard(context: LinuxContext): Chain[] {
  const { name, configuration } = context;
  const { openNetworks, clientAddresses, forwards } = configuration.system;
  const out = `iifname "${name}"`;
  const clients = clientAddresses.map((client) => ({ ...client, prefix: client.family === 4 ? 32 : 128 }));
  const targets = forwards.map((forward) => {
    const { protocol, family, address, port } = forward;
    return `${out} ${ip(family)} daddr ${address} ${protocol} dport ${port ?? portText(forward)} accept`;
  });
  const answers = `${out} ct state established,related accept`;
  const open = matches(out, "daddr", openNetworks);
  return [
    filter("input", [
      answers,
      ...open,
      `${out} icmp type echo-request accept`,
      `${out} icmpv6 type echo-request accept`,
      ...inner(context).map(
        ({ family, address }) => `${out} ${ip(family)} daddr ${address} tcp dport ${SPEED_TEST_PORT} accept`,
      ),
      `${out} counter drop`,
    ]),
    filter("forward", [answers, ...matches(out, "daddr", clients), ...open, ...targets, `${out} counter drop`]),
  ];
}

function filter(hook: "input" | "forward", rules: readonly string[]): Chain {
  return { name: hook, base: `filter hook ${hook} priority filter`, rules };
}

/** Returns this host's addresses in the tunnel, as networks of one address. */
function inner({ configuration }: LinuxContext): Network[] {
  return configuration.addresses.map(({ family, address }) => ({ family, address, prefix: family === 4 ? 32 : 128 }));
}

/** Returns a rule for each IP version that accepts packets whose source or destination lies in the networks. */
function matches(match: string, end: "saddr" | "daddr", networks: readonly Network[]): string[] {
  return FAMILIES.flatMap((family) => {
    const own = networks.filter((network) => network.family === family);
    const texts = own.map(({ address, prefix }) => `${address}/${prefix}`);
    return own.length === 0 ? [] : [`${match} ${ip(family)} ${end} ${valueSet(texts)} accept`];
  });
}

function ip(family: Family): "ip" | "ip6" {
  return family === 4 ? "ip" : "ip6";
}
