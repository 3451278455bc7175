/** Configures interfaces on FreeBSD by commands of ifconfig(8) and route(8), which the given runner executes. */
import { familyOf, formatAddress } from "../endpoint.ts";
import type { CommandRunner } from "./command.ts";
import type { InterfaceSettings, PrefixedAddress } from "./host.ts";
import { networkText } from "./request.ts";

const IFCONFIG = "/sbin/ifconfig";

export async function configureFreebsd(
  name: string,
  settings: InterfaceSettings,
  addresses: readonly PrefixedAddress[],
  signal: AbortSignal,
  run: CommandRunner,
): Promise<void> {
  for (const argv of freebsdCommands(name, settings, addresses)) {
    const isOptional = argv.includes(IGNORE_NEIGHBOURS[0]);
    await run({ argv }, signal).catch((error: unknown) => {
      // A kernel without IPv6 has no router advertisements to ignore.
      if (!isOptional || signal.aborted) throw error;
    });
  }
}

/** Flags of ifconfig(8): no router advertisements, no default router from one, no link-local address. */
const IGNORE_NEIGHBOURS = ["-accept_rtadv", "no_radr", "-auto_linklocal"] as const;

/** Returns the commands that configure the interface, in order. */
export function freebsdCommands(
  name: string,
  settings: InterfaceSettings,
  addresses: readonly PrefixedAddress[],
): string[][] {
  return [
    [IFCONFIG, name, "mtu", String(settings.mtu)],
    [IFCONFIG, name, "inet6", ...IGNORE_NEIGHBOURS],
    ...addresses.flatMap((address) => addressCommands(name, address)),
    [IFCONFIG, name, "up"],
  ];
}

export async function deleteFreebsd(name: string, signal: AbortSignal, run: CommandRunner): Promise<void> {
  await run({ argv: [IFCONFIG, name, "destroy"] }, signal);
}

function addressCommands(name: string, { address, prefix }: PrefixedAddress): string[][] {
  const text = `${formatAddress(address)}/${prefix}`;
  if (familyOf(address) === 6) return [[IFCONFIG, name, "inet6", text, "no_dad", "alias"]];
  // A point-to-point interface needs a destination address; its own leaves all others to the routing table. The network
  // of the prefix then needs a route of its own.
  const own = formatAddress(address);
  const add = [IFCONFIG, name, "inet", text, own, "alias"];
  if (prefix === 32) return [add];
  return [add, ["/sbin/route", "-q", "add", "-net", networkText(own, prefix), "-interface", name]];
}
