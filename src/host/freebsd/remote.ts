/**
 * Builds pf rules of the remote portal (dissertation 3.3.1). Forwarded packets, and the client's own, leave no state: a
 * state would deliver the answers to this host instead of the client.
 */
import type { Forward } from "../../config/system-values.ts";
import {
  FAMILIES,
  type Family,
  familiesOf,
  keptPorts,
  lendsAddress,
  networkText,
  PRIVATE,
  portList,
  type SystemRequest,
  tunnelPorts,
} from "../request.ts";
import { pfInet, pfList } from "./pf.ts";
import type { FreebsdState, Gateway } from "./state.ts";

export function remoteRules(request: SystemRequest, state: FreebsdState): string[] {
  return lendsAddress(request.configuration.system) ? lendRules(request, state) : natRules(request, state);
}

function lendRules(request: SystemRequest, state: FreebsdState): string[] {
  const { name, configuration } = request;
  const tag = tagOf(name);
  const rules = configuration.system.clientAddresses.flatMap(({ family, address }) => {
    const own = state.addresses.find((candidate) => candidate.address === address);
    const device = own?.device ?? outside(state).find((gateway) => gateway.family === family)?.device;
    if (device === undefined) return [];
    const to = `${pfInet(family)} from any to ${address}`;
    const from = `${pfInet(family)} from ${address} to any`;
    return [
      ...keepRules(request, device, family, address),
      `pass in quick on ${name} ${from} no state tag ${tag}`,
      `pass out quick on ${device} ${from} no state tagged ${tag}`,
      `pass out quick on ${device} ${from} keep state`,
      `pass in quick on ${device} route-to (${name} ${address}) ${to} no state`,
      `pass out quick on ${name} ${to} no state`,
    ];
  });
  return [...closedRules(request, "no state"), ...rules];
}

/** Returns rules that let hosts behind the tunnel reach this host's addresses in it and OpenNetworks, but nothing else private. */
function closedRules({ name, configuration }: SystemRequest, options: string): string[] {
  const { openNetworks, peerNetworks } = configuration.system;
  const inner = configuration.addresses.map(({ family, address }) => ({ family, to: address }));
  const networks = [...openNetworks, ...peerNetworks];
  const open = [...inner, ...networks.map(({ family, address, prefix }) => ({ family, to: `${address}/${prefix}` }))];
  return FAMILIES.flatMap((family) => {
    const own = [...new Set(open.filter((network) => network.family === family).map(({ to }) => to))];
    const from = `in quick on ${name} ${pfInet(family)} from any to`;
    return [
      ...(own.length === 0 ? [] : [`pass ${from} ${pfList(own)} ${options}`]),
      `block ${from} ${pfList(PRIVATE[family])}`,
    ];
  });
}

/** Returns rules for what stays here: kept ports, links in IP packets, and neighbour discovery. */
function keepRules(request: SystemRequest, device: string, family: 4 | 6, address: string): string[] {
  const ports = keptPorts(request);
  const { protocols } = tunnelPorts(request.configuration);
  const keep = (match: string, port = "") =>
    `pass in quick on ${device} ${pfInet(family)} proto ${match} from any to ${address}${port}`;
  return [
    ...(["udp", "tcp"] as const).flatMap((protocol) => {
      const list = portList(ports, protocol).map((text) => text.replace("-", ":"));
      return list.length === 0 ? [] : [keep(protocol, ` port ${pfList(list)}`)];
    }),
    ...protocols.map((protocol) => keep(String(protocol))),
    ...(family === 6 ? [keep("icmp6", " icmp6-type { routeradv, neighbrsol, neighbradv, redir }")] : []),
  ];
}

function natRules(request: SystemRequest, state: FreebsdState): string[] {
  const { name, configuration, ssh } = request;
  const { masquerade, forwards, peerNetworks } = configuration.system;
  const tag = tagOf(name);
  const ways = outside(state).filter(({ family }) => familiesOf(configuration).includes(family));
  const behind = [
    ...configuration.addresses.map((own) => ({ family: own.family, to: networkText(own.address, own.prefix) })),
    ...peerNetworks.map(({ family, address, prefix }) => ({ family, to: `${address}/${prefix}` })),
    ...forwards.map(({ family, address }) => ({ family, to: address })),
  ];
  const session = ssh
    ? [`no rdr proto tcp from ${ssh.client} port ${ssh.clientPort} to any port ${ssh.serverPort}`]
    : [];
  return [
    ...(masquerade
      ? ways.map((way) => `nat on ${way.device} ${natOf(way)} tagged ${tag} -> ${target(state, way)}`)
      : []),
    ...(forwards.length > 0 ? session : []),
    ...ways.flatMap((way) =>
      forwards.filter(({ family }) => family === way.family).map((forward) => redirect(state, way, forward)),
    ),
    ...closedRules(request, `tag ${tag}`),
    `pass in quick on ${name} all tag ${tag}`,
    ...(masquerade ? FAMILIES.flatMap((family) => unaskedRules(request, family, behind)) : []),
  ];
}

/** Returns rules that stop other hosts from routing to those behind the tunnel; `rdr pass` comes before these. */
function unaskedRules(
  { name, configuration }: SystemRequest,
  family: Family,
  behind: readonly { readonly family: Family; readonly to: string }[],
): string[] {
  const networks = [...new Set(behind.filter((network) => network.family === family).map(({ to }) => to))];
  const closed = family === 4 ? networks : networks.filter((to) => /^f[cd]/i.test(to));
  if (closed.length === 0) return [];
  const open = configuration.system.openNetworks.filter((network) => network.family === family);
  const on = `in quick on ! ${name} ${pfInet(family)} from`;
  return [
    ...open.map(({ address, prefix }) => `pass ${on} ${address}/${prefix} to ${pfList(closed)}`),
    `block ${on} ! self to ${pfList(closed)}`,
  ];
}

/** Returns what is translated; public IPv6 addresses are not. */
function natOf({ family }: Gateway): string {
  return family === 4 ? "inet from any to any" : "inet6 from fc00::/7 to any";
}

/** Returns the address to translate to; an IPv4 interface name follows changes, an IPv6 one would include link-local addresses. */
function target(state: FreebsdState, { family, device }: Gateway): string {
  const own = state.addresses.find((address) => address.family === family && address.device === device);
  return family === 6 && own ? own.address : `(${device})`;
}

function redirect(
  state: FreebsdState,
  way: Gateway,
  { protocol, first, last, family, address, port }: Forward,
): string {
  const ports = first === last ? `${first}` : `${first}:${last}`;
  const to = port === undefined ? (first === last ? "" : ` port ${first}:*`) : ` port ${port}`;
  return `rdr pass on ${way.device} ${pfInet(family)} proto ${protocol} from any to ${target(state, way)} port ${ports} -> ${address}${to}`;
}

function outside({ gateways }: FreebsdState): Gateway[] {
  return gateways.filter(
    ({ family, device }, i) => gateways.findIndex((other) => other.family === family && other.device === device) === i,
  );
}

function tagOf(name: string): string {
  return `netcombiner-${name}`;
}
