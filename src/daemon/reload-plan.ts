/** Compares a new configuration with that of a running tunnel, and plans what changes. Pure. */
import { type Configuration, type ConfiguredLink, freeName } from "../config/configuration.ts";
import type { SystemConfiguration } from "../config/system-configuration.ts";

export interface ReloadPlan {
  /** The configuration that runs afterwards: the links of the new file, unchanged ones with the number and name they had. */
  readonly configuration: Configuration;
  readonly kept: readonly ConfiguredLink[];
  readonly removed: readonly ConfiguredLink[];
  readonly added: readonly ConfiguredLink[];
  /** Keys of `[Host]` that changed but are only read at start; the running tunnel keeps their old values. */
  readonly needsRestart: readonly string[];
}

/** Matches links by everything in their section, except a name that the program chose. */
export function planReload(current: Configuration, next: Configuration): ReloadPlan {
  const chosen = next.links.filter((link) => link.isNamed);
  const chosenNames = new Set(chosen.map((link) => link.settings.name));
  // A name we made up goes to whoever asks for it.
  const free = new Set(current.links);
  const keepable = current.links.filter((link) => link.isNamed || !chosenNames.has(link.settings.name));
  const matches = next.links.map((link) => {
    const match = keepable.find((candidate) => free.has(candidate) && isSameLink(candidate, link));
    if (match) free.delete(match);
    return match;
  });
  const kept = matches.filter((match) => match !== undefined);
  // A number is not used again at once, so that what is on its way for the old link does not reach the new one.
  const takenIds = new Set(current.links.map((link) => link.settings.id));
  const takenNames = new Set<string | undefined>([...kept, ...chosen].map((link) => link.settings.name));
  const links = next.links.map((link, i) => matches[i] ?? renumber(link, i, takenIds, takenNames));
  return {
    configuration: { ...next, tunnel: current.tunnel, addresses: current.addresses, system: current.system, links },
    kept,
    removed: [...free],
    added: links.filter((_, i) => matches[i] === undefined),
    needsRestart: changedHostKeys(current, next),
  };
}

function renumber(
  link: ConfiguredLink,
  index: number,
  ids: Set<number>,
  names: Set<string | undefined>,
): ConfiguredLink {
  let id = 0;
  while (ids.has(id)) id++;
  ids.add(id);
  const name = link.isNamed ? link.settings.name : freeName(link.settings.method, index, names);
  return { ...link, settings: { ...link.settings, id, name } };
}

function isSameLink(a: ConfiguredLink, b: ConfiguredLink): boolean {
  return a.isNamed === b.isNamed && Bun.deepEquals(essence(a), essence(b));
}

function essence(link: ConfiguredLink) {
  const name = link.isNamed ? link.settings.name : "";
  return { settings: { ...link.settings, id: 0, name }, transport: link.transport };
}

const KEYS = [
  ["PrivateKey", "privateKey"],
  ["SharedKey", "sharedKey"],
  ["PublicKey", "peerKey"],
] as const;

/** Keys from which the default of AllowedIPs follows. */
const ALLOWED_BY: ReadonlySet<string> = new Set([
  ...["Role", "Address", "ClientAddress", "PeerNetworks", "Forward", "OpenNetworks"],
]);

function changedHostKeys(current: Configuration, next: Configuration): string[] {
  const changed: string[] = [];
  if (current.tunnel.security !== next.tunnel.security) changed.push("Security");
  for (const [name, key] of KEYS) if (!Bun.deepEquals(current.tunnel[key], next.tunnel[key])) changed.push(name);
  if (current.tunnel.mtu !== next.tunnel.mtu) changed.push("MTU");
  if (current.tunnel.scheduling !== next.tunnel.scheduling) changed.push("Scheduling");
  if (!Bun.deepEquals(current.addresses, next.addresses)) changed.push("Address");
  changed.push(...changedSystemKeys(current.system, next.system));
  const isDerived = changed.some((name) => ALLOWED_BY.has(name));
  if (!isDerived && !Bun.deepEquals(current.tunnel.allowedIps, next.tunnel.allowedIps)) changed.push("AllowedIPs");
  return changed;
}

const SYSTEM_KEYS: Readonly<Record<keyof SystemConfiguration, string>> = {
  role: "Role",
  table: "Table",
  fwMark: "FwMark",
  hooks: "PreUp, PostUp, PreDown or PostDown",
  clientAddresses: "ClientAddress",
  lanInterfaces: "LanInterface",
  peerNetworks: "PeerNetworks",
  openNetworks: "OpenNetworks",
  masquerade: "Masquerade",
  keepPorts: "KeepPorts",
  forwards: "Forward",
};

function changedSystemKeys(current: SystemConfiguration, next: SystemConfiguration): string[] {
  const names = Object.keys(SYSTEM_KEYS) as (keyof SystemConfiguration)[];
  return names.filter((name) => !Bun.deepEquals(current[name], next[name])).map((name) => SYSTEM_KEYS[name]);
}
