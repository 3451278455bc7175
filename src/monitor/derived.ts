/** Figures that follow from those of a snapshot. */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { LinkSnapshot, PathSnapshot, TunnelSnapshot } from "../portal/snapshot.ts";

/** Round trip beyond the smallest: time in queues on the way. 0 until measured. */
export function addedDelay({ rtt }: PathSnapshot): Micros {
  return Math.max(0, rtt.smoothed - rtt.min);
}

/** Share of the peer's datagrams that did not arrive, over the path's life; 0 to 1. */
export function lossReceived({ missing, received }: PathSnapshot): number {
  return missing <= 0 ? 0 : missing / (missing + received.packets);
}

/** Share of our datagrams that were taken for lost, over the path's life; 0 to 1. */
export function lossSent({ lost, sent }: PathSnapshot): number {
  return sent.packets === 0 ? 0 : lost / sent.packets;
}

/** How long the queue takes to empty at the paths' rates; 0 when empty or when no rate is known. */
export function queueDelay(snapshot: TunnelSnapshot): Micros {
  const rate = carrying(snapshot).reduce((sum, path) => sum + path.pacingRate, 0);
  return rate === 0 ? 0 : Math.round((snapshot.queue.bytes / rate) * MICROS_PER_SECOND);
}

/** Paths that take packets now. */
export function carrying({ links }: Pick<TunnelSnapshot, "links">): PathSnapshot[] {
  return links.flatMap((link) => link.paths.filter((path) => path.state === "up" && !path.standby));
}

/** What a link does, in one word: that of its best path, or of the link itself. */
export function linkWord(link: LinkSnapshot): string {
  const up = link.paths.filter((path) => path.state === "up");
  if (up.some((path) => !path.standby)) return "carrying";
  if (up.length > 0) return "standby";
  return link.paths.find((path) => path.state === "suspect")?.state ?? link.state;
}
