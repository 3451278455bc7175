/** The keys of `[Host]` for what `up` does to the system, and the rules between them. Beside `schema.ts`, which has the others. */
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
};

/** Keys whose values are commands: repetitions are lines of their own, and a `;` in them is likely the shell's. */
export const COMMAND_KEYS = ["PreUp", "PostUp", "PreDown", "PostDown"] as const;

const SystemSchema = v.object(SYSTEM_KEYS);
export type HostSystemSection = v.InferOutput<typeof SystemSchema>;

/** What the rules look at besides: an address of the tunnel to send from. */
type Rules = HostSystemSection & { readonly Address?: readonly unknown[] | undefined };

interface RuleFault {
  readonly key: keyof Rules;
  readonly rule: string;
}

/** What is wrong with the keys together, each on its key. */
export function systemFaults(host: Rules): RuleFault[] {
  const isGiven = (key: keyof Rules) => host[key] !== undefined;
  const { Role: role } = host;
  const lendsAddress = isGiven("ClientAddress");
  const checks: readonly (readonly [key: keyof Rules, isWrong: boolean, rule: string])[] = [
    ["ClientAddress", lendsAddress && role === undefined, "only with Role"],
    ["Masquerade", isGiven("Masquerade") && role === undefined, "only with Role"],
    ["Masquerade", host.Masquerade === "on" && lendsAddress, "not with ClientAddress, which is sent from as it is"],
    ["LanInterface", isGiven("LanInterface") && role !== "local", "only with Role local"],
    [
      "LanInterface",
      role === "local" && lendsAddress && !isGiven("LanInterface"),
      "the interface that the client is at",
    ],
    ["Forward", isGiven("Forward") && role !== "remote", "only with Role remote"],
    ["Forward", isGiven("Forward") && lendsAddress, "not with ClientAddress, which has all ports already"],
    [
      "KeepPorts",
      isGiven("KeepPorts") && !(role === "remote" && lendsAddress),
      "only with Role remote and ClientAddress",
    ],
    ["FwMark", host.FwMark === 0 && lendsAddress, "not off with ClientAddress: it tells what stays at this host"],
    ["FwMark", host.FwMark === 0 && usesItself(host), "not off where this host itself uses the tunnel"],
    ["Table", host.Table === "off" && lendsAddress, "not off with ClientAddress, which needs routes and rules"],
    ["Address", role !== undefined && !lendsAddress && !isGiven("Address"), "Role needs one to send from"],
  ];
  return checks.filter(([, isWrong]) => isWrong).map(([key, , rule]) => ({ key, rule }));
}

/** A local portal without a LAN. */
function usesItself({ Role: role, LanInterface: lan, Table: table }: Rules): boolean {
  return role === "local" && lan === undefined && table !== "off";
}
