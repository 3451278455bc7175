/**
 * Builds the configuration of what `up` sets up on the host: routes, rules, firewall and the user's commands. The keys are in
 * `system-schema.ts`.
 */
import type { HostAddress, HostSystemSection, Network } from "./system-schema.ts";
import type { Forward, PortRange } from "./system-values.ts";

export type Role = "remote" | "local";

/** Commands of the user, one line for the shell each. */
export interface Hooks {
  readonly preUp: readonly string[];
  readonly postUp: readonly string[];
  readonly preDown: readonly string[];
  readonly postDown: readonly string[];
}

export interface SystemConfiguration {
  /** Role of this portal; without one, `up` does no more than hooks and routes to the peer's networks. */
  readonly role: Role | undefined;
  /** First routing table, which further ones follow; `off` makes neither routes nor rules. */
  readonly table: number | "auto" | "off";
  /** Mark of the tunnel's own datagrams and of other traffic that stays out of the tunnel; undefined marks nothing. */
  readonly fwMark: number | undefined;
  readonly hooks: Hooks;
  /** Addresses of the remote portal that a host behind the local portal uses as its own; without any, NAT is used. */
  readonly clientAddresses: readonly HostAddress[];
  readonly lanInterfaces: readonly string[];
  readonly peerNetworks: readonly Network[];
  readonly masquerade: boolean;
  readonly keepPorts: readonly PortRange[];
  readonly forwards: readonly Forward[];
  /** Networks at this host that the tunnel may reach although they are private (remote portal), or at all (local portal). */
  readonly openNetworks: readonly Network[];
}

/** Default mark: the dissertation's port, which no well-known program uses as a mark. */
const DEFAULT_MARK = 4725;

/** Ports that stay at the remote portal by default: SSH, so that its administrator is not locked out. */
const DEFAULT_KEEP_PORTS: readonly PortRange[] = [{ protocol: "tcp", first: 22, last: 22 }];

/** Returns the set-up of the host with defaults filled in. */
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
    openNetworks: host.OpenNetworks ?? [],
  };
}

/** Returns the mark, which only policy rules need; undefined without. */
function markOf({ FwMark: given, Role: role, Table: table }: HostSystemSection): number | undefined {
  if (given !== undefined) return given === 0 ? undefined : given;
  return role !== undefined && table !== "off" ? DEFAULT_MARK : undefined;
}
