/**
 * Kernel variables of the tunnel's interface that keep the peer from acting as a trusted neighbour. By default the kernel
 * believes whoever is on an interface's link: one router advertisement (RFC 4861) or redirect out of the tunnel would change
 * this host's routes. Set in every mode, while the interface is still down, so that nothing arrives before.
 */
import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const SIX: Readonly<Record<string, string>> = {
  // Router advertisements: routes, addresses, MTU, hop limit and name servers.
  accept_ra: "0",
  autoconf: "0",
  router_solicitations: "0",
  accept_redirects: "0",
  accept_source_route: "-1",
  // No link-local address: then the kernel neither reports multicast groups nor answers the peer on the link itself.
  addr_gen_mode: "1",
};

/**
 * For redirects the greater value of `all` and the interface holds while the interface does not forward: the portal drops
 * them too. A route needs no gateway here, so ARP, which a TUN interface has not, needs no setting.
 */
const FOUR: Readonly<Record<string, string>> = {
  accept_redirects: "0",
  secure_redirects: "1",
  shared_media: "0",
  send_redirects: "0",
  accept_source_route: "0",
  route_localnet: "0",
};

/** Returns the variables as [key, value], with keys like `net/ipv6/conf/nc0/accept_ra`. */
export function neighbourSysctls(name: string): [key: string, value: string][] {
  const keysOf = (folder: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([key, value]): [string, string] => [`${folder}/${name}/${key}`, value]);
  return [...keysOf("net/ipv6/conf", SIX), ...keysOf("net/ipv4/conf", FOUR)];
}

/**
 * Sets the variables. Without IPv6 in the kernel, those of IPv6 are left out. Returns the keys that could not be set, as in
 * a container whose /proc/sys is read-only.
 */
export function ignoreNeighbours(name: string, root = "/proc/sys"): string[] {
  return neighbourSysctls(name).flatMap(([key, value]) => {
    const path = `${root}/${key}`;
    if (!existsSync(dirname(path))) return [];
    try {
      writeFileSync(path, value);
      return [];
    } catch {
      return [key];
    }
  });
}
