/** Defines the answer of a running tunnel to `show`: its snapshot, and the process it runs in. */
import type { TunnelSnapshot } from "../portal/snapshot.ts";

export interface TunnelReport {
  readonly interface: string;
  readonly version: string;
  readonly pid: number;
  /** Seconds since the tunnel came up. */
  readonly uptime: number;
  readonly snapshot: TunnelSnapshot;
}
