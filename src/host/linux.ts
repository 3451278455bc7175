/** Configures interfaces on Linux by rtnetlink. */
import { systemLibc } from "../../ffi/libc.ts";
import { addAddress, changeLink, deleteLink, type InterfaceChange, interfaceIndex } from "../../ffi/linux/netlink.ts";
import type { InterfaceSettings, PrefixedAddress } from "./host.ts";
import { ignoreNeighbours } from "./linux/neighbour-sysctls.ts";

/** Returns the kernel variables that could not be set. */
export function configureLinux(
  name: string,
  settings: InterfaceSettings,
  addresses: readonly PrefixedAddress[],
  signal: AbortSignal,
): string[] {
  const libc = systemLibc();
  const queue = settings.txQueueLength;
  const link: InterfaceChange = { mtu: settings.mtu, ...(queue === undefined ? {} : { txQueueLength: queue }) };
  signal.throwIfAborted();
  changeLink(libc, name, link);
  const unset = ignoreNeighbours(name);
  for (const { address, prefix } of addresses) addAddress(libc, name, address, prefix);
  changeLink(libc, name, { isUp: true });
  return unset;
}

export function deleteLinux(name: string): void {
  deleteLink(systemLibc(), name);
}

/** True if the kernel has an interface of that name (if_nametoindex, on FreeBSD too). */
export function hasIndex(name: string): boolean {
  return interfaceIndex(systemLibc(), name) !== 0;
}
