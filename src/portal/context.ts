/** The state and services that the parts of a portal share. Everything else a part keeps for itself. */
import type { Micros } from "../clock.ts";
import { DROP, type DropCounters } from "../drops.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import type { DelayOrigin } from "../path/one-way-delay.ts";
import type { RandomBytes } from "../random.ts";
import type { Resequencer } from "../resequencer/resequencer.ts";
import type { PacketQueue, Scheduler } from "../scheduler/scheduler.ts";
import type { AllowedIps } from "./allowed-ips.ts";
import type { PortalEvent } from "./events.ts";
import type { PathTable } from "./path-table.ts";
import type { TunnelSettings } from "./settings.ts";
import type { TunnelEstimate } from "./tunnel-estimate.ts";

/** Time at which a user's packet last passed the tunnel, either way. */
export interface Activity {
  lastPacketAt: Micros;
}

export interface PortalContext {
  readonly settings: TunnelSettings;
  readonly pool: PacketPool;
  readonly random: RandomBytes;
  readonly drops: DropCounters;
  readonly paths: PathTable;
  readonly allowedIps: AllowedIps;
  readonly estimate: Readonly<TunnelEstimate>;
  readonly activity: Activity;
  readonly exchange: Exchange;
  /** This portal's public key, where there are key pairs. */
  readonly publicKey: Uint8Array | undefined;
  /** Bytes security adds to a datagram. */
  readonly overhead: number;
  readonly queue: PacketQueue;
  readonly scheduler: Scheduler;
  readonly resequencer: Resequencer;
  /** The zero of one-way delays, one for all paths to the peer. */
  readonly delayOrigin: DelayOrigin;
  readonly events: PortalEvent[];
}

/** Drops the packet or datagram in `slot` and counts the reason. */
export function drop(context: PortalContext, slot: Slot, reason: keyof typeof DROP): void {
  dropFor(context, slot, DROP[reason]);
}

/** Does the same for an index of `DROP`. */
export function dropFor(context: PortalContext, slot: Slot, reason: number): void {
  context.drops.count(reason);
  context.pool.release(slot);
}
