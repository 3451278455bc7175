/** Computes figures that follow from those of a snapshot. */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { LinkSnapshot, PathSnapshot, TunnelSnapshot } from "../portal/snapshot.ts";

/** Returns the round-trip time above the smallest, which datagrams spend in queues between the portals; 0 until measured. */
export function queueingDelay({ rtt }: PathSnapshot): Micros {
  return Math.max(0, rtt.smoothed - rtt.min);
}

/** Returns the share of the peer's datagrams that did not arrive, over the path's lifetime; 0 to 1. */
export function shareMissing({ missing, received }: PathSnapshot): number {
  return missing <= 0 ? 0 : missing / (missing + received.packets);
}

/** Returns the share of our datagrams that were declared lost, over the path's lifetime; 0 to 1. */
export function shareLost({ lost, sent }: PathSnapshot): number {
  return sent.packets === 0 ? 0 : lost / sent.packets;
}

/** Returns the time that the ingress queue takes to drain at the pacing rates of all paths; 0 when it is empty or no rate is known. */
export function drainTime(snapshot: TunnelSnapshot): Micros {
  const rate = carrying(snapshot).reduce((sum, path) => sum + path.pacingRate, 0);
  return rate === 0 ? 0 : Math.round((snapshot.queue.bytes / rate) * MICROS_PER_SECOND);
}

/** Returns the paths that carry packets now. */
export function carrying({ links }: Pick<TunnelSnapshot, "links">): PathSnapshot[] {
  return links.flatMap((link) => link.paths.filter((path) => path.state === "up" && !path.standby));
}

/** Returns the state of a link in one word: that of its best path, or the link's own when it has none. */
export function linkWord(link: LinkSnapshot): string {
  const up = link.paths.filter((path) => path.state === "up");
  if (up.some((path) => !path.standby)) return "carrying";
  if (up.length > 0) return "standby";
  return link.paths.find((path) => path.state === "suspect")?.state ?? link.state;
}
