/**
 * What `up` does to the rest of the system, as the configuration says it: routes, rules, firewall and commands of one's own.
 * The keys are in `system-schema.ts`.
 */
import type { HostAddress, HostSystemSection, Network } from "./system-schema.ts";
import type { Forward, PortRange } from "./system-values.ts";

export type Role = "remote" | "local";

/** Commands of the user, each a line for the shell. */
export interface Hooks {
  readonly preUp: readonly string[];
  readonly postUp: readonly string[];
  readonly preDown: readonly string[];
  readonly postDown: readonly string[];
}

export interface SystemConfiguration {
  /** Undefined: no more than hooks and routes to the peer's networks. */
  readonly role: Role | undefined;
  /** The first routing table; further ones follow. `off` makes neither routes nor rules. */
  readonly table: number | "auto" | "off";
  /** What the tunnel's own datagrams carry, and what stays at the host with them; undefined marks nothing. */
  readonly fwMark: number | undefined;
  readonly hooks: Hooks;
  /** The remote portal's own addresses that a host behind the local portal has; with none, NAT. */
  readonly clientAddresses: readonly HostAddress[];
  readonly lanInterfaces: readonly string[];
  readonly peerNetworks: readonly Network[];
  readonly masquerade: boolean;
  readonly keepPorts: readonly PortRange[];
  readonly forwards: readonly Forward[];
}

/** The dissertation's port as a mark; no well-known program uses this one. */
const DEFAULT_MARK = 4725;

/** SSH, so that nobody shuts themselves out. */
const DEFAULT_KEEP_PORTS: readonly PortRange[] = [{ protocol: "tcp", first: 22, last: 22 }];

export function buildSystem(host: HostSystemSection): SystemConfiguration {
  const { PreUp: preUp = [], PostUp: postUp = [], PreDown: preDown = [], PostDown: postDown = [] } = host;
  return {
    role: host.Role,
    table: host.Table ?? "auto",
    fwMark: markOf(host),
    hooks: { preUp, postUp, preDown, postDown },
    clientAddresses: host.ClientAddress ?? [],
    lanInterfaces: host.LanInterface ?? [],
    peerNetworks: host.PeerNetworks ?? [],
    masquerade: host.Masquerade !== "off" && host.ClientAddress === undefined,
    keepPorts: host.KeepPorts ?? DEFAULT_KEEP_PORTS,
    forwards: host.Forward ?? [],
  };
}

/** Nothing needs one without rules. */
function markOf({ FwMark: given, Role: role, Table: table }: HostSystemSection): number | undefined {
  if (given !== undefined) return given === 0 ? undefined : given;
  return role !== undefined && table !== "off" ? DEFAULT_MARK : undefined;
}
