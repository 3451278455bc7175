/** Plans changes of kernel variables on Linux, and how to restore them with everything the kernel changes along with them. */
import type { Family } from "../request.ts";
import type { Command, Step } from "../step.ts";
import type { LinuxState } from "./state.ts";

/** Values of rp_filter: the route back must be by the same interface, or by any (RFC 3704). */
const STRICT = "1";
const LOOSE = "2";

/** Returns the command that sets a variable; keys have slashes because interface names may have dots. */
export function sysctlCommand(key: string, value: string): Command {
  return { argv: ["sysctl", "-w", `${key}=${value}`] };
}

/** Returns the step that sets a variable of the host, which all running tunnels share. */
export function setSysctl(
  state: LinuxState,
  key: string,
  value: string,
  why: string,
  alsoBack: Command[] = [],
): Step[] {
  const was = state.sysctl(key);
  if (was === undefined) return [];
  return [
    {
      why,
      do: [sysctlCommand(key, value)],
      undo: [sysctlCommand(key, was), ...alsoBack],
      shared: `sysctl ${key}`,
      isDone: was === value,
    },
  ];
}

/** Returns the step that sets a variable of the tunnel's interface, which disappears with the interface. */
export function setOwnSysctl(key: string, value: string, why: string): Step {
  return { why, do: [sysctlCommand(key, value)], undo: [] };
}

/** Returns steps that enable forwarding. @param deaf interfaces that accept no router advertisements: the tunnel's, the LAN's */
export function forwardSteps(state: LinuxState, families: readonly Family[], deaf: readonly string[]): Step[] {
  // Interfaces made later start with `default`: another tunnel, or a container's.
  const excluded = ["all", "default", "lo", ...deaf];
  return families.flatMap((family) => (family === 4 ? forwardFour(state) : forwardSix(state, excluded)));
}

/**
 * Returns the steps that switch IPv4 forwarding on. The kernel then changes `forwarding` of each interface, and `accept_redirects`
 * (inet_forward_change).
 */
function forwardFour(state: LinuxState): Step[] {
  const redirects = "net/ipv4/conf/all/accept_redirects";
  const back = [
    ...interfacesBack(state, "net/ipv4/conf"),
    ...(state.sysctl(redirects) === "0" ? [sysctlCommand(redirects, "0")] : []),
  ];
  return setSysctl(state, "net/ipv4/ip_forward", "1", "forward IPv4 packets", back);
}

/**
 * A forwarding host ignores router advertisements unless accept_ra is 2: without it, an interface would lose the default
 * route of an advertisement immediately, or never get one (at boot it may not have arrived yet).
 */
function forwardSix(state: LinuxState, excluded: readonly string[]): Step[] {
  const folder = "net/ipv6/conf";
  const listening = state.sysctlNames(folder).filter((name) => {
    const accepts = state.sysctl(`${folder}/${name}/accept_ra`);
    const isHost = state.sysctl(`${folder}/${name}/forwarding`) !== "1";
    return !excluded.includes(name) && (accepts === "2" || (accepts === "1" && isHost));
  });
  return [
    ...listening.flatMap((name) =>
      setSysctl(state, `${folder}/${name}/accept_ra`, "2", `${name} goes on accepting router advertisements`),
    ),
    ...setSysctl(state, `${folder}/all/forwarding`, "1", "forward IPv6 packets", interfacesBack(state, folder)),
  ];
}

/** Returns commands that restore the interfaces that forwarded before. */
function interfacesBack(state: LinuxState, folder: string): Command[] {
  const names = state.sysctlNames(folder).filter((name) => name !== "all");
  const keys = names.map((name) => `${folder}/${name}/forwarding`);
  return keys.filter((key) => state.sysctl(key) === "1").map((key) => sysctlCommand(key, "1"));
}

/** Returns steps that make strict filtering loose; the kernel uses the greater of the values for `all` and the interface. */
export function looseSteps(state: LinuxState, devices: readonly string[]): Step[] {
  const all = state.sysctl("net/ipv4/conf/all/rp_filter");
  return devices.flatMap((device) => {
    const key = `net/ipv4/conf/${device}/rp_filter`;
    const own = state.sysctl(key);
    const isFree = own === "0" && all !== STRICT;
    return isFree ? [] : setSysctl(state, key, LOOSE, `accept packets on ${device} whatever the route back`);
  });
}

/** Returns the same for the tunnel's interface, which starts with the default value. */
export function looseOwnSteps(state: LinuxState, name: string): Step[] {
  const strict = ["all", "default"].some((which) => state.sysctl(`net/ipv4/conf/${which}/rp_filter`) === STRICT);
  const key = `net/ipv4/conf/${name}/rp_filter`;
  return strict ? [setOwnSysctl(key, LOOSE, "accept packets out of the tunnel whatever the route back")] : [];
}

/** Returns steps that make each interface use its own addresses alone in ARP ("ARP flux", dissertation 3.3.3). */
export function arpSteps(state: LinuxState): Step[] {
  return ["arp_announce", "arp_ignore"].flatMap((name) =>
    setSysctl(state, `net/ipv4/conf/all/${name}`, "1", "each link uses its own address alone in ARP"),
  );
}
