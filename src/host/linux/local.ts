/**
 * Plans the local portal on Linux (dissertation 3.3.2): a LAN uses the tunnel, by NAT or as a client with the remote
 * portal's address; without a LAN, this host itself uses it.
 */
import type { HostAddress } from "../../config/system-schema.ts";
import { FAMILIES, type Family, familiesOf, lendsAddress } from "../request.ts";
import type { Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { localGuard } from "./guard.ts";
import { nameSet, nftSteps } from "./nft.ts";
import { addRoute, addRule, defaultRoutes, PRIORITY } from "./routes.ts";
import { sourceRouteSteps } from "./source-routes.ts";
import { arpSteps, forwardSteps, looseOwnSteps, looseSteps } from "./sysctls.ts";

export function localSteps(context: LinuxContext): Step[] {
  const { state, name, configuration } = context;
  const { lanInterfaces, table } = configuration.system;
  const families = familiesOf(configuration);
  const links = linkInterfaces(context);
  return [
    // First, so that nothing comes out of the tunnel before.
    ...firewallSteps(context, families),
    ...(lanInterfaces.length > 0 ? forwardSteps(state, families, [name, ...lanInterfaces]) : []),
    ...looseOwnSteps(state, name),
    ...looseSteps(state, [...lanInterfaces, ...links]),
    ...(links.length > 1 ? arpSteps(state) : []),
    ...(table === "off" ? [] : routeSteps(context, families)),
  ];
}

function linkInterfaces({ configuration }: LinuxContext): string[] {
  const names = configuration.links.map(({ transport }) => transport.localInterface);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Returns routes and rules, those of the links first, so that the tunnel never loses its paths in between. */
function routeSteps(context: LinuxContext, families: readonly Family[]): Step[] {
  const { system } = context.configuration;
  const hasLan = system.lanInterfaces.length > 0;
  const first = context.table();
  return [
    ...FAMILIES.flatMap((family) => sourceRouteSteps(context, family, !hasLan && families.includes(family))),
    ...families.flatMap((family) => [
      ...markedSteps(context, family),
      ...defaultRoutes(context.name, family, first),
      ...(hasLan ? [] : hostSteps(context, family, first)),
    ]),
    ...(lendsAddress(system) ? clientSteps(context, first) : lanSteps(context, families, first)),
  ];
}

/** Returns the rule that keeps the tunnel's own datagrams out of the tunnel. */
function markedSteps({ configuration }: LinuxContext, family: Family): Step[] {
  const { fwMark } = configuration.system;
  if (fwMark === undefined) return [];
  const mark = `0x${fwMark.toString(16)}`;
  const why = "the tunnel's own datagrams use the main table";
  return [addRule(family, PRIORITY.marked, `fwmark ${mark} lookup main`, why, `marked ${family} ${mark}`)];
}

const WHY_SPECIFIC = "networks with specific routes keep them";

/** Returns the rules that send this host's traffic through the tunnel, except DNS, which must resolve the peer's name. */
function hostSteps({ configuration }: LinuxContext, family: Family, table: number): Step[] {
  const mark = `0x${(configuration.system.fwMark ?? 0).toString(16)}`;
  const nameService = ["udp", "tcp"].map((protocol) =>
    addRule(
      family,
      PRIORITY.nameService,
      `iif lo ipproto ${protocol} dport 53 lookup main`,
      "DNS of this host stays as it was",
      `names ${family} ${protocol}`,
    ),
  );
  return [
    ...nameService,
    addRule(
      family,
      PRIORITY.specific,
      "iif lo lookup main suppress_prefixlength 0",
      WHY_SPECIFIC,
      `specific ${family}`,
    ),
    addRule(family, PRIORITY.tunnel, `not fwmark ${mark} lookup ${table}`, "everything else goes through the tunnel"),
  ];
}

function lanSteps({ configuration }: LinuxContext, families: readonly Family[], table: number): Step[] {
  return families.flatMap((family) =>
    configuration.system.lanInterfaces.flatMap((lan) => fromLan(family, `iif ${lan}`, table)),
  );
}

function fromLan(family: Family, match: string, table: number): Step[] {
  return [
    addRule(
      family,
      PRIORITY.specific,
      `${match} lookup main suppress_prefixlength 0`,
      WHY_SPECIFIC,
      `specific ${family} ${match}`,
    ),
    addRule(family, PRIORITY.tunnel, `${match} lookup ${table}`, "everything else from there goes through the tunnel"),
  ];
}

/** Returns routes to the client, which has the remote portal's address: these must not apply to the tunnel's datagrams. */
function clientSteps(context: LinuxContext, table: number): Step[] {
  const { configuration, name } = context;
  const second = context.table();
  const [lan = ""] = configuration.system.lanInterfaces;
  return configuration.system.clientAddresses.flatMap(({ family, address }: HostAddress) => [
    addRoute(family, `${address} dev ${lan} table ${second}`, "the client is on the LAN"),
    addRule(
      family,
      PRIORITY.fromTunnel,
      `to ${address} iif ${name} lookup ${second}`,
      "packets for it out of the tunnel go there",
    ),
    ...fromLan(family, `from ${address} iif ${lan}`, table),
  ]);
}

function firewallSteps(context: LinuxContext, families: readonly Family[]): Step[] {
  const { name, configuration } = context;
  const { masquerade, lanInterfaces } = configuration.system;
  const lan = `iifname ${nameSet(lanInterfaces)}`;
  const nat = families.map((family) => `${lan} oifname "${name}" meta nfproto ipv${family} masquerade`);
  const chain = {
    name: "postrouting",
    base: "nat hook postrouting priority srcnat",
    rules: masquerade && lanInterfaces.length > 0 ? nat : [],
  };
  const why = "only answers and what is opened come out of the tunnel; NAT to this portal's address in the tunnel";
  return nftSteps(name, [...localGuard(context), chain], why);
}
