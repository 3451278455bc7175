/** Addresses for pairing: finds those of a host that the peer can reach, and draws networks for the tunnel that overlap no other. */
import {
  addressOf,
  createEndpoint,
  type Endpoint,
  familyOf,
  formatAddress,
  parseEndpoint,
  samePrefix,
  setEndpoint,
} from "../endpoint.ts";
import type { PrefixedAddress } from "../host/host.ts";

/** An address of an interface of this host. */
export interface AddressOnInterface extends PrefixedAddress {
  readonly interface: string;
}

/** Returns the addresses that node:os lists, without those of the loopback. */
export function hostAddresses(
  interfaces: ReturnType<typeof import("node:os").networkInterfaces>,
): AddressOnInterface[] {
  return Object.entries(interfaces).flatMap(([name, entries = []]) =>
    entries.flatMap((entry) => {
      const address = parseEndpoint(entry.address.split("%")[0] ?? "");
      const prefix = Number(entry.cidr?.split("/")[1]);
      return address && !entry.internal && Number.isInteger(prefix) ? [{ interface: name, address, prefix }] : [];
    }),
  );
}

/** Returns where a peer on the Internet reaches this host: its first public address of each IP version, IPv4 first. */
export function publicHosts(addresses: readonly AddressOnInterface[]): string[] {
  const reachable = addresses.filter(({ address }) => isPublic(address));
  return ([4, 6] as const).flatMap((family) => {
    const first = reachable.find(({ address }) => familyOf(address) === family);
    return first ? [formatAddress(first.address)] : [];
  });
}

/** IPv4 ranges that the Internet does not route (RFC 6890): private, shared, loopback, link-local, multicast and above. */
const NOT_PUBLIC = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"]
  .concat("192.168.0.0/16", "224.0.0.0/3")
  .map(parseNetwork);

function isPublic(address: Endpoint): boolean {
  // Global unicast of IPv6 is 2000::/3.
  if (familyOf(address) === 6) return ((addressOf(address)[0] as number) & 0xe0) === 0x20;
  return !NOT_PUBLIC.some((network) => overlap(network, { address, prefix: 32 }));
}

/** Draws an address of each IP version, 10.x.y.1/24 and fdxx:xxxx:xxxx::1/64, whose networks are free on this host. */
export function drawTunnelAddresses(taken: readonly PrefixedAddress[], random: (size: number) => Uint8Array) {
  const draw = (make: () => PrefixedAddress): PrefixedAddress => {
    for (let tries = 0; ; tries++) {
      const drawn = make();
      if (tries > 100 || !taken.some((other) => overlap(drawn, other))) return drawn;
    }
  };
  return [draw(() => drawIpv4(random(2))), draw(() => drawIpv6(random(5)))];
}

function drawIpv4(random: Uint8Array): PrefixedAddress {
  const address = createEndpoint();
  setEndpoint(address, 4, Uint8Array.of(10, random[0] as number, random[1] as number, 1), 0);
  return { address, prefix: 24 };
}

/** Returns a unique local address with a random global ID (RFC 4193 section 3.2). */
function drawIpv6(random: Uint8Array): PrefixedAddress {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(random.subarray(0, 5), 1);
  bytes[15] = 1;
  const address = createEndpoint();
  setEndpoint(address, 6, bytes, 0);
  return { address, prefix: 64 };
}

/** True if one of the two networks contains the other. */
export function overlap(a: PrefixedAddress, b: PrefixedAddress): boolean {
  return samePrefix(a.address, b.address, Math.min(a.prefix, b.prefix));
}

function parseNetwork(text: string): PrefixedAddress {
  const [host = "", prefix] = text.split("/");
  return { address: parseEndpoint(host) as Endpoint, prefix: Number(prefix) };
}
