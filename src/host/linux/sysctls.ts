/** Kernel variables on Linux: set where they differ, and put back as they were, with what the kernel changes beside them. */

import type { Family } from "../request.ts";
import type { Command, Step } from "../step.ts";
import type { LinuxState } from "./state.ts";

/** Reverse-path filtering (rp_filter): a packet must come in by the interface that leads back; or any must lead back. */
const STRICT = "1";
const LOOSE = "2";

/** Slashes throughout: the name of an interface may have dots. */
export function sysctlCommand(key: string, value: string): Command {
  return { argv: ["sysctl", "-w", `${key}=${value}`] };
}

/** Sets a variable of the host; tunnels that run at the same time share it. */
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

/** A variable of the tunnel's interface: it goes with it. */
export function setOwnSysctl(key: string, value: string, why: string): Step {
  return { why, do: [sysctlCommand(key, value)], undo: [] };
}

/** Packets may pass from one interface to another. @param lan where this host is the router, and hears no other */
export function forwardSteps(state: LinuxState, families: readonly Family[], lan: readonly string[] = []): Step[] {
  const deafTo = ["all", "lo", ...lan];
  return families.flatMap((family) => (family === 4 ? forwardFour(state) : forwardSix(state, deafTo)));
}

/** The kernel sets the same for each interface, and what redirects mean for all (inet_forward_change). */
function forwardFour(state: LinuxState): Step[] {
  const redirects = "net/ipv4/conf/all/accept_redirects";
  const back = [
    ...interfacesBack(state, "net/ipv4/conf"),
    ...(state.sysctl(redirects) === "0" ? [sysctlCommand(redirects, "0")] : []),
  ];
  return setSysctl(state, "net/ipv4/ip_forward", "1", "IPv4 packets may pass through this host", back);
}

/**
 * A router does not listen to other routers unless accept_ra is 2: without that, an interface would lose its default
 * route from an advertisement at once, or never get one. At boot that may still be on its way.
 */
function forwardSix(state: LinuxState, deafTo: readonly string[]): Step[] {
  const folder = "net/ipv6/conf";
  const listening = state.sysctlNames(folder).filter((name) => {
    const accepts = state.sysctl(`${folder}/${name}/accept_ra`);
    const isHost = state.sysctl(`${folder}/${name}/forwarding`) !== "1";
    return !deafTo.includes(name) && (accepts === "2" || (accepts === "1" && isHost));
  });
  return [
    ...listening.flatMap((name) =>
      setSysctl(state, `${folder}/${name}/accept_ra`, "2", `${name} goes on listening to routers`),
    ),
    ...setSysctl(
      state,
      `${folder}/all/forwarding`,
      "1",
      "IPv6 packets may pass through this host",
      interfacesBack(state, folder),
    ),
  ];
}

/** Interfaces that forwarded before others did. */
function interfacesBack(state: LinuxState, folder: string): Command[] {
  const names = state.sysctlNames(folder).filter((name) => name !== "all");
  const keys = names.map((name) => `${folder}/${name}/forwarding`);
  return keys.filter((key) => state.sysctl(key) === "1").map((key) => sysctlCommand(key, "1"));
}

/** The greater of the values for all and for one interface holds: strict becomes loose, off stays off. */
export function looseSteps(state: LinuxState, devices: readonly string[]): Step[] {
  const all = state.sysctl("net/ipv4/conf/all/rp_filter");
  return devices.flatMap((device) => {
    const key = `net/ipv4/conf/${device}/rp_filter`;
    const own = state.sysctl(key);
    const isFree = own === "0" && all !== STRICT;
    return isFree ? [] : setSysctl(state, key, LOOSE, `packets may come in by ${device} whatever the way back`);
  });
}

/** The same for the tunnel's interface, which is made with the default. */
export function looseOwnSteps(state: LinuxState, name: string): Step[] {
  const strict = ["all", "default"].some((which) => state.sysctl(`net/ipv4/conf/${which}/rp_filter`) === STRICT);
  const key = `net/ipv4/conf/${name}/rp_filter`;
  return strict ? [setOwnSysctl(key, LOOSE, "packets may come out of the tunnel whatever the way back")] : [];
}

/** Each interface answers for and asks with its own addresses alone ("ARP flux", dissertation 3.3.3). */
export function arpSteps(state: LinuxState): Step[] {
  return ["arp_announce", "arp_ignore"].flatMap((name) =>
    setSysctl(state, `net/ipv4/conf/all/${name}`, "1", "each link speaks for its own address alone"),
  );
}
