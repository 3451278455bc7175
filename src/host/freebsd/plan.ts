/** Plans everything that `up` does on FreeBSD besides the interface: sysctl(8), route(8) and an anchor of pf(4). Pure. */
import { EXIT, NetcombinerError } from "../../errors.ts";
import { freebsdCommands } from "../freebsd.ts";
import { parsePrefixedAddress } from "../host.ts";
import { contains, type Family, familiesOf, forwardTargets, type SystemRequest } from "../request.ts";
import { command, type Step } from "../step.ts";
import { localRules } from "./local.ts";
import { pfSteps } from "./pf.ts";
import { remoteRules } from "./remote.ts";
import { FORWARDING, type FreebsdState } from "./state.ts";

/** Returns the steps, in order. @throws NetcombinerError if pf.conf lacks our anchors or the configuration does not fit the host */
export function planFreebsd(request: SystemRequest, state: FreebsdState): Step[] {
  const { configuration } = request;
  const { role, table, lanInterfaces, peerNetworks } = configuration.system;
  const families = familiesOf(configuration);
  const forwards = role === "remote" || lanInterfaces.length > 0;
  const networks = peerNetworks.map(({ family, address, prefix }) => ({ family, to: `${address}/${prefix}` }));
  const routes = [
    ...networks,
    ...forwardTargets(configuration).map(({ family, address }) => ({ family, to: address })),
  ];
  const rules = role === "remote" ? remoteRules(request, state) : role === "local" ? localRules(request, state) : [];
  return [
    ...(table === "off"
      ? []
      : routes.map(({ family, to }) => tunnelRoute(request.name, family, to, "network behind the peer"))),
    ...(forwards ? families.flatMap((family) => forwardingSteps(state, family)) : []),
    ...(role === "local" && lanInterfaces.length === 0 && table !== "off"
      ? wholeHostSteps(request, state, families)
      : []),
    ...pfSteps(request.name, rules, state),
  ];
}

/** Returns the commands that the program runs itself for its interface, for the user to read. */
export function freebsdInterfaceCommands({ name, configuration }: SystemRequest): string[] {
  const addresses = configuration.addresses.map(({ address, prefix }) => parsePrefixedAddress(`${address}/${prefix}`));
  const settings = { addresses: [], mtu: configuration.tunnel.mtu };
  return freebsdCommands(name, settings, addresses).map((argv) => argv.join(" "));
}

function forwardingSteps({ sysctls }: FreebsdState, family: Family): Step[] {
  const name = FORWARDING[family];
  const was = sysctls[name];
  if (was === undefined || was === "") return [];
  return [
    {
      why: `forward IPv${family} packets`,
      do: [command(`sysctl ${name}=1`)],
      undo: [command(`sysctl ${name}=${was}`)],
      shared: `sysctl ${name}`,
      isDone: was === "1",
    },
  ];
}

function tunnelRoute(name: string, family: Family, to: string, why: string): Step {
  const text = (verb: string) => command(`route -q ${verb} ${inet(family)} ${kind(to)} ${to} -interface ${name}`);
  return { why, do: [text("add")], undo: [text("delete")] };
}

function gatewayRoute(family: Family, to: string, gateway: string, why: string): Step {
  const text = (verb: string) => command(`route -q ${verb} ${inet(family)} -host ${to} ${gateway}`);
  return { why, do: [text("add")], undo: [text("delete")], shared: `route ${to}` };
}

/** Both halves of the address space: more specific than the default route, which stays as it is (as wg-quick does). */
const HALVES: Readonly<Record<Family, readonly string[]>> = {
  4: ["0.0.0.0/1", "128.0.0.0/1"],
  6: ["::/1", "8000::/1"],
};

/** Returns routes for the whole host; peers and name servers keep theirs. pf sends each link's datagrams by that link. */
function wholeHostSteps(
  { name, configuration }: SystemRequest,
  state: FreebsdState,
  families: readonly Family[],
): Step[] {
  const peers = configuration.links.flatMap(({ transport }) => transport.remoteHost ?? []);
  const stray = configuration.links.find(
    ({ transport: { localInterface, localHost } }) => !(localInterface ?? localHost),
  );
  if (stray) {
    const rule = "needs LocalInterface or LocalHost where this host itself uses the tunnel";
    throw new NetcombinerError(
      `link ${stray.settings.name} ${rule}: its datagrams would be sent into the tunnel`,
      EXIT.CONFIG,
    );
  }
  const kept = [...new Set([...peers.filter(isAddress), ...state.nameServers])];
  const stay = kept.flatMap((address) => {
    const family: Family = address.includes(":") ? 6 : 4;
    const gateway = state.gateways.find((candidate) => candidate.family === family)?.address;
    const isNear = state.addresses.some((own) => contains(own, address));
    if (gateway === undefined || isNear || !families.includes(family)) return [];
    return [gatewayRoute(family, address, gateway, "the peer and name servers keep their route")];
  });
  const halves = families.flatMap((family) =>
    HALVES[family].map((half) => tunnelRoute(name, family, half, "everything else goes through the tunnel")),
  );
  return [...stay, ...halves];
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}

function inet(family: Family): string {
  return family === 6 ? "-inet6" : "-inet";
}

function kind(to: string): string {
  return to.includes("/") ? "-net" : "-host";
}
