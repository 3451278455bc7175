/** Adds to a portal's snapshot what only the edges know: losses before the portal saw a packet or after it, the sockets' buffers, and the loop's durations. */
import { layout } from "../../ffi/layout.ts";
import { SOCKET_BUFFER } from "../../ffi/socket.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import type { DropReason } from "../drops.ts";
import type { SocketSnapshot, TunnelSnapshot } from "../portal/snapshot.ts";
import type { LoopMeter } from "./loop-meter.ts";
import type { LinkSocket, SocketTable } from "./socket-table.ts";
import type { TunEdge } from "./tun-edge.ts";

/** Linux reports twice the bytes that it granted, for its own bookkeeping (socket(7)). */
const REPORTED_PER_GRANTED = layout.name === "linux" ? 2 : 1;

/** Adds to `snapshot`, which is the caller's own, and returns it. */
export function withEdges(
  snapshot: TunnelSnapshot,
  edge: TunEdge,
  sockets: SocketTable,
  loop: LoopMeter,
): TunnelSnapshot {
  snapshot.loop = loop.snapshot();
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
    add("send-failed", lost);
    add("datagram-too-big", tooBig);
    snapshot.sockets.push(describe(socket));
  }
  return snapshot;
}

function describe({ link, transport }: LinkSocket): SocketSnapshot {
  const { receiveBuffer, sendBuffer, gso, gro } = transport.describe();
  const isStream = transport instanceof TcpStream || transport instanceof TcpListener;
  return {
    link,
    asked: isStream ? 0 : SOCKET_BUFFER,
    receiveBuffer: receiveBuffer / REPORTED_PER_GRANTED,
    sendBuffer: sendBuffer / REPORTED_PER_GRANTED,
    gso,
    gro,
  };
}
