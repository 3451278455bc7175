/** Adds to a portal's account what was lost at either edge, before the portal saw it or after. */
import type { DropReason } from "../drops.ts";
import type { TunnelSnapshot } from "../portal/snapshot.ts";
import type { Sockets } from "./sockets.ts";
import type { TunEdge } from "./tun-edge.ts";

/** Changes `snapshot`, which is the caller's own, and returns it. */
export function withEdges(snapshot: TunnelSnapshot, edge: TunEdge, sockets: Sockets): TunnelSnapshot {
  const { drops } = snapshot;
  const add = (reason: DropReason, packets: number): void => {
    if (packets > 0) drops[reason] = (drops[reason] ?? 0) + packets;
  };
  add("no-slot", edge.dropped);
  add("sink-full", edge.refused);
  for (const socket of sockets.all) {
    if (!socket) continue;
    const { noSlot, lost, tooBig } = socket.transport.counters;
    add("no-slot", noSlot);
    add("send-failed", lost + tooBig);
  }
  return snapshot;
}
