/** How large a packet may be to cross the tunnel whole. Looked at when a TCP connection begins. */
import { BASE_DATAGRAM } from "../../path/mtu.ts";
import type { Path } from "../../path/path.ts";
import { DATA_SIZE } from "../../wire/data.ts";
import { HEADER_SIZE } from "../../wire/datagram.ts";
import type { PortalContext } from "../context.ts";

/**
 * The largest packet that no path in use has to carry in parts, as far as their MTUs are known; at most the tunnel's MTU. A path below the base
 * does not count: its parts cost less than small packets on all the others.
 */
export function largestWhole(context: PortalContext): number {
  const { paths, settings, overhead } = context;
  const used = paths.list.filter((path) => path.isUp && !isReserve(path, paths.list));
  let datagram = Number.POSITIVE_INFINITY;
  for (const path of used) if (path.pathMtu.state !== "searching") datagram = Math.min(datagram, path.mtu);
  return Math.min(settings.mtu, Math.max(datagram, BASE_DATAGRAM) - HEADER_SIZE - DATA_SIZE - overhead);
}

function isReserve(path: Path, all: readonly Path[]): boolean {
  return all.some((other) => other.isUp && other.metric < path.metric);
}
