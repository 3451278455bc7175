/**
 * Builds pf rules of the local portal (dissertation 3.3.2 and 3.3.3): a LAN uses the tunnel, and packets from the address
 * of a link leave by it, to the router of its default route or DHCP lease.
 */
import { type Family, familiesOf, lendsAddress, networkText, SPEED_TEST_PORT, type SystemRequest } from "../request.ts";
import { pfInet, pfList } from "./pf.ts";
import type { FreebsdState } from "./state.ts";

export function localRules(request: SystemRequest, state: FreebsdState): string[] {
  const { configuration } = request;
  const { system } = configuration;
  const families = familiesOf(configuration);
  const lan = lendsAddress(system)
    ? clientRules(request)
    : families.flatMap((family) => lanRules(request, state, family));
  const nat = system.masquerade ? families.flatMap((family) => natRules(request, family)) : [];
  const routes = system.table === "off" ? [] : [...linkRules(request, state), ...lan];
  return [...nat, ...routes, ...guardRules(request)];
}

/** Returns rules after which only answers, pings, speed tests, OpenNetworks and targets of Forward come out of the tunnel. */
function guardRules({ name, configuration }: SystemRequest): string[] {
  const { openNetworks, forwards } = configuration.system;
  const on = (family: Family) => `pass in quick on ${name} ${pfInet(family)}`;
  return [
    // The states of these let the answers in.
    `pass out quick on ${name} all keep state`,
    ...openNetworks.map(({ family, address, prefix }) => `${on(family)} from any to ${address}/${prefix}`),
    ...forwards.map(({ protocol, family, address, port, first, last }) => {
      const ports = port ?? (first === last ? first : `${first}:${last}`);
      return `${on(family)} proto ${protocol} from any to ${address} port ${ports}`;
    }),
    ...configuration.addresses.flatMap(({ family, address }) => [
      `${on(family)} proto ${family === 4 ? "icmp" : "icmp6"} from any to ${address} ${family === 4 ? "icmp-type" : "icmp6-type"} echoreq`,
      `${on(family)} proto tcp from any to ${address} port ${SPEED_TEST_PORT}`,
    ]),
    `block in quick on ${name} all`,
  ];
}

function natRules({ name, configuration }: SystemRequest, family: Family): string[] {
  const inner = configuration.addresses.find((address) => address.family === family)?.address;
  return configuration.system.lanInterfaces.map(
    (lan) => `nat on ${name} ${pfInet(family)} from ${lan}:network to any -> ${inner}`,
  );
}

function linkRules({ name }: SystemRequest, { gateways, addresses }: FreebsdState): string[] {
  return gateways
    .filter(({ device }) => device !== name)
    .flatMap(({ family, device, address: gateway }) =>
      addresses
        .filter((own) => own.family === family && own.device === device)
        .map(({ address, prefix }) => {
          const elsewhere = `from ${address} to ! ${networkText(address, prefix)}`;
          return `pass out quick route-to (${device} ${gateway}) ${pfInet(family)} ${elsewhere}`;
        }),
    );
}

/** Returns the rules for a LAN with NAT; this host and its own networks are reached as before. */
function lanRules({ name, configuration }: SystemRequest, state: FreebsdState, family: Family): string[] {
  const { lanInterfaces } = configuration.system;
  const inner = configuration.addresses.find((address) => address.family === family)?.address;
  const own = state.addresses.filter((address) => address.family === family && address.device !== name);
  const near = [...new Set(own.map(({ address, prefix }) => networkText(address, prefix)))];
  return lanInterfaces.flatMap((lan) => [
    ...(near.length === 0 ? [] : [`pass in quick on ${lan} ${pfInet(family)} from any to ${pfList(near)}`]),
    `pass in quick on ${lan} route-to (${name} ${inner}) ${pfInet(family)} from ${lan}:network to ! self`,
  ]);
}

/** Returns the rules for a client with the remote portal's address; states would bind answers to the interface of the request. */
function clientRules({ name, configuration }: SystemRequest): string[] {
  const [lan = ""] = configuration.system.lanInterfaces;
  return configuration.system.clientAddresses.flatMap(({ family, address }) => {
    const inet = pfInet(family);
    return [
      `pass in quick on ${lan} route-to (${name} ${address}) ${inet} from ${address} to ! self no state`,
      `pass out quick on ${name} ${inet} from ${address} to any no state`,
      `pass in quick on ${name} route-to (${lan} ${address}) ${inet} from any to ${address} no state`,
      `pass out quick on ${lan} ${inet} from any to ${address} no state`,
    ];
  });
}
