/** Interfaces on FreeBSD: ifconfig(8) commands, rendered as argument lists and run by whoever is handed in. */
import { addressOf, type Endpoint, familyOf, formatAddress } from "../endpoint.ts";
import type { CommandRunner } from "./command.ts";
import type { InterfaceAddress, InterfaceSettings } from "./host.ts";

const IFCONFIG = "/sbin/ifconfig";

export async function configureFreebsd(
  name: string,
  settings: InterfaceSettings,
  addresses: readonly InterfaceAddress[],
  signal: AbortSignal,
  run: CommandRunner,
): Promise<void> {
  for (const argv of freebsdCommands(name, settings, addresses)) await run({ argv }, signal);
}

/** The commands that configure the interface, in order. */
export function freebsdCommands(
  name: string,
  settings: InterfaceSettings,
  addresses: readonly InterfaceAddress[],
): string[][] {
  return [
    [IFCONFIG, name, "mtu", String(settings.mtu)],
    ...addresses.flatMap((address) => addressCommands(name, address)),
    [IFCONFIG, name, "up"],
  ];
}

export async function deleteFreebsd(name: string, signal: AbortSignal, run: CommandRunner): Promise<void> {
  await run({ argv: [IFCONFIG, name, "destroy"] }, signal);
}

function addressCommands(name: string, { address, prefix }: InterfaceAddress): string[][] {
  const text = `${formatAddress(address)}/${prefix}`;
  if (familyOf(address) === 6) return [[IFCONFIG, name, "inet6", text, "no_dad", "alias"]];
  // A point-to-point interface wants a destination; its own address gives no host route away. The network behind the
  // prefix is then routed by hand, where one is meant.
  const own = formatAddress(address);
  const add = [IFCONFIG, name, "inet", text, own, "alias"];
  if (prefix === 32) return [add];
  return [add, ["/sbin/route", "-q", "add", "-net", `${network(address, prefix)}/${prefix}`, "-interface", name]];
}

function network(address: Endpoint, prefix: number): string {
  const bytes = addressOf(address);
  return Array.from(bytes, (byte, i) => {
    const bits = Math.min(8, Math.max(0, prefix - 8 * i));
    return byte & (0xff00 >> bits) & 0xff;
  }).join(".");
}
