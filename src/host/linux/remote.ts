/**
 * Plans the remote portal on Linux (dissertation 3.3.1): either packets for its address go to a host behind the local
 * portal, except those for kept ports; or hosts behind the local portal use its address by NAT, with forwarded ports.
 */
import { EXIT, NetcombinerError } from "../../errors.ts";
import {
  type Family,
  familiesOf,
  keptPorts,
  lendsAddress,
  portList,
  sameAddressText,
  tunnelPorts,
} from "../request.ts";
import { command, type Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { remoteGuard } from "./guard.ts";
import { natSteps } from "./nat.ts";
import { type Chain, nameSet, nftSteps, valueSet } from "./nft.ts";
import { addRoute, addRule, localTableSteps, PRIORITY } from "./routes.ts";
import { defaultRoutesOf } from "./state.ts";
import { forwardSteps, looseOwnSteps, setOwnSysctl, setSysctl } from "./sysctls.ts";

export function remoteSteps(context: LinuxContext): Step[] {
  const { state, configuration, name } = context;
  const families = familiesOf(configuration);
  const forwarding = [...forwardSteps(state, families, [name]), ...looseOwnSteps(state, name)];
  const rest = lendsAddress(configuration.system) ? lendSteps(context, families) : natSteps(context, families);
  return [...forwarding, ...rest];
}

/** Neighbour discovery of this host's own network, which is for this host alone. */
const NEIGHBOURS = ["nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert", "nd-redirect"] as const;

function lendSteps(context: LinuxContext, families: readonly Family[]): Step[] {
  const { name, table, configuration } = context;
  const mark = markOf(context);
  const lent = configuration.system.clientAddresses.map((host) => ({ ...host, device: deviceOf(context, host) }));
  const devices = [...new Set(lent.map(({ device }) => device))];
  const firstTable = table();
  return [
    ...nftSteps(
      name,
      [...keepChains(context, devices), ...remoteGuard(context, families)],
      "mark the tunnel, kept ports and connections of this host; close its private networks to the client",
    ),
    ...families.map((family) =>
      addRule(
        family,
        PRIORITY.staysHere,
        `fwmark ${mark} lookup local`,
        "marked packets stay here",
        `stays ${family} ${mark}`,
      ),
    ),
    ...lent.flatMap(({ family, address, device }) => [
      addRoute(family, `${address} dev ${name} table ${firstTable}`, `${address} is behind the tunnel`),
      addRule(
        family,
        PRIORITY.toClient,
        `to ${address} iif ${device} lookup ${firstTable}`,
        `other packets from ${device} for ${address} go there`,
      ),
    ]),
    setOwnSysctl(`net/ipv4/conf/${name}/accept_local`, "1", "the client sends from an address of this host"),
    ...lent.flatMap(({ family, address, device }) => (family === 4 ? proxySteps(context, address, device) : [])),
    ...families.map((family) => localTableSteps(context.state, family)),
  ];
}

function markOf({ configuration }: LinuxContext): string {
  return `0x${(configuration.system.fwMark ?? 0).toString(16)}`;
}

/** Returns the interface that has the address, or else the one towards the Internet, by which it is routed here. */
function deviceOf({ state }: LinuxContext, wanted: { readonly family: Family; readonly address: string }): string {
  // An address on the loopback arrives by another interface.
  const outside = state.addresses.filter(({ device }) => device !== "lo");
  const own = outside.find(({ address }) => sameAddressText(address, wanted.address));
  const [way] = defaultRoutesOf(state, wanted.family);
  const device = own?.device ?? way?.device;
  if (device !== undefined) return device;
  const advice = "put it on the interface towards the Internet";
  throw new NetcombinerError(
    `no interface has the address ${wanted.address} or a default route: ${advice}`,
    EXIT.CONFIG,
  );
}

/** Returns the steps by which Linux answers ARP for an address routed elsewhere: only with a proxy entry, and immediately only without a delay. */
function proxySteps({ state }: LinuxContext, address: string, device: string): Step[] {
  const text = (verb: string) => command(`ip neigh ${verb} proxy ${address} dev ${device}`);
  return [
    ...setSysctl(state, `net/ipv4/neigh/${device}/proxy_delay`, "0", "answer ARP immediately"),
    { why: `${device} answers ARP for the client's address`, do: [text("add")], undo: [text("del")] },
  ];
}

/**
 * Returns chains that mark the connections of this host at their first packet, so that answers, errors and fragments have
 * the mark too; conntrack reassembles fragments before these chains.
 */
function keepChains(context: LinuxContext, devices: readonly string[]): Chain[] {
  const { name, configuration, request } = context;
  const mark = markOf(context);
  const from = `iifname ${nameSet(devices)}`;
  const ports = keptPorts(request);
  const { protocols } = tunnelPorts(configuration);
  const matches = [
    ...(["tcp", "udp"] as const).flatMap((protocol) => {
      const list = portList(ports, protocol);
      return list.length === 0 ? [] : [`${protocol} dport ${valueSet(list)}`];
    }),
    ...(protocols.length === 0 ? [] : [`meta l4proto ${valueSet(protocols)}`]),
  ];
  return [
    {
      name: "prerouting",
      base: "filter hook prerouting priority mangle",
      rules: [
        ...matches.map((match) => `${from} ${match} ct mark set ${mark}`),
        `${from} ct mark ${mark} meta mark set ${mark}`,
        `icmpv6 type ${valueSet(NEIGHBOURS)} meta mark set ${mark}`,
      ],
    },
    {
      name: "output",
      base: "filter hook output priority mangle",
      rules: [`oifname != "${name}" ct state new ct mark set ${mark}`],
    },
  ];
}
