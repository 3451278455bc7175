/** Defines the keys of `[Host]` for the set-up of the host by `up`, and the rules between them. `schema.ts` has the other keys. */
import * as v from "valibot";
import {
  commands,
  forwards,
  hostAddresses,
  interfaceNames,
  mark,
  networks,
  portRanges,
  table,
} from "./system-values.ts";
import { oneOf } from "./values.ts";

export interface HostAddress {
  readonly family: 4 | 6;
  readonly address: string;
}

export interface Network extends HostAddress {
  readonly prefix: number;
}

export const SYSTEM_KEYS = {
  Role: v.optional(oneOf(["remote", "local"])),
  Table: v.optional(table()),
  FwMark: v.optional(mark()),
  PreUp: v.optional(commands()),
  PostUp: v.optional(commands()),
  PreDown: v.optional(commands()),
  PostDown: v.optional(commands()),
  ClientAddress: v.optional(hostAddresses()),
  LanInterface: v.optional(interfaceNames()),
  PeerNetworks: v.optional(networks()),
  Masquerade: v.optional(oneOf(["on", "off"])),
  KeepPorts: v.optional(portRanges()),
  Forward: v.optional(forwards()),
  OpenNetworks: v.optional(networks()),
};

/** Keys whose values are commands: each repetition is a line, and a `;` in them was probably meant for the shell. */
export const COMMAND_KEYS = ["PreUp", "PostUp", "PreDown", "PostDown"] as const;

const SystemSchema = v.object(SYSTEM_KEYS);
export type HostSystemSection = v.InferOutput<typeof SystemSchema>;

/** Adds what the rules look at besides: the addresses of the tunnel and of the other portal. */
type Rules = HostSystemSection & {
  readonly Address?: readonly Network[] | undefined;
  readonly AllowedIPs?: readonly Network[] | undefined;
};

interface RuleFault {
  readonly key: keyof Rules;
  readonly rule: string;
}

/** Returns the faults of keys that contradict each other. */
export function systemFaults(host: Rules): RuleFault[] {
  const isGiven = (key: keyof Rules) => host[key] !== undefined;
  const { Role: role } = host;
  const lendsAddress = isGiven("ClientAddress");
  const checks: readonly (readonly [key: keyof Rules, isWrong: boolean, rule: string])[] = [
    ["ClientAddress", lendsAddress && role === undefined, "only with Role"],
    ["Masquerade", isGiven("Masquerade") && role === undefined, "only with Role"],
    [
      "Masquerade",
      host.Masquerade === "on" && lendsAddress,
      "not with ClientAddress, whose packets keep their source address",
    ],
    ["LanInterface", isGiven("LanInterface") && role !== "local", "only with Role local"],
    [
      "LanInterface",
      role === "local" && lendsAddress && !isGiven("LanInterface"),
      "name the interface of the client's LAN, which ClientAddress needs",
    ],
    ["Forward", isGiven("Forward") && role === undefined, "only with Role"],
    ["OpenNetworks", isGiven("OpenNetworks") && role === undefined, "only with Role"],
    ["Forward", isGiven("Forward") && lendsAddress, "not with ClientAddress, which receives all ports"],
    [
      "KeepPorts",
      isGiven("KeepPorts") && !(role === "remote" && lendsAddress),
      "only with Role remote and ClientAddress",
    ],
    [
      "FwMark",
      host.FwMark === 0 && lendsAddress,
      "not off with ClientAddress, since the mark separates the traffic of this host",
    ],
    [
      "FwMark",
      host.FwMark === 0 && usesItself(host),
      "not off with Role local and without LanInterface, since the mark keeps datagrams out of the tunnel",
    ],
    ["Table", host.Table === "off" && lendsAddress, "not off with ClientAddress, which needs routes and rules"],
    [
      "Address",
      role !== undefined && !lendsAddress && !isGiven("Address"),
      "Role needs an address of the tunnel, like 10.47.25.2/24",
    ],
    [
      "Address",
      role === "remote" && isPeerUnknown(host),
      "the prefix leaves no address for the other portal: use a shorter one, like 10.47.25.1/24, or set AllowedIPs",
    ],
  ];
  return checks.filter(([, isWrong]) => isWrong).map(([key, , rule]) => ({ key, rule }));
}

/** True if no key names an address that the other portal may use. */
function isPeerUnknown({ Address: addresses, ClientAddress, PeerNetworks, Forward, AllowedIPs }: Rules): boolean {
  if ((ClientAddress ?? PeerNetworks ?? Forward ?? AllowedIPs) !== undefined || addresses === undefined) return false;
  return addresses.every(({ family, prefix }) => prefix === (family === 4 ? 32 : 128));
}

/** True for a local portal without a LAN. */
function usesItself({ Role: role, LanInterface: lan, Table: table }: Rules): boolean {
  return role === "local" && lan === undefined && table !== "off";
}
