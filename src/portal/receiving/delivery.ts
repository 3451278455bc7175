// @hot
/**
 * The last step of a packet from the network before it is put in order: its header is checked, the segment size of a TCP connection that
 * begins is clamped, and it is counted.
 */
import type { Micros } from "../../clock.ts";
import { PACKET_FLAG, type Slot } from "../../memory/packet-pool.ts";
import { BASE_DATAGRAM } from "../../path/mtu.ts";
import type { Path } from "../../path/path.ts";
import { DATA_FLAG, DATA_SIZE } from "../../wire/data.ts";
import { HEADER_SIZE } from "../../wire/datagram.ts";
import { ParsedHeader, PROTOCOL } from "../../wire/ip.ts";
import { clampMss, isSyn } from "../../wire/mss.ts";
import { drop, dropFor, type PortalContext } from "../context.ts";

export class Delivery {
  readonly #context: PortalContext;
  readonly #parsed = new ParsedHeader();
  readonly #onTcp: (now: Micros, start: number, parsed: ParsedHeader) => void;
  packets = 0;
  bytes = 0;

  /** @param onTcp called with a TCP packet for the host, at `start` in the arena */
  constructor(context: PortalContext, onTcp: (now: Micros, start: number, parsed: ParsedHeader) => void) {
    this.#context = context;
    this.#onTcp = onTcp;
  }

  /** Passes the packet in `slot`, which came with these flags of DATA, to the resequencer, or drops it if it is junk. */
  deliver(now: Micros, slot: Slot, flags: number): void {
    const context = this.#context;
    const { pool } = context;
    const start = pool.start[slot] as number;
    const parsed = this.#parsed;
    const isPartial = (flags & DATA_FLAG.CHECKSUM_PARTIAL) !== 0;
    pool.flags[slot] = isPartial ? PACKET_FLAG.CHECKSUM_PARTIAL : 0;
    if (!parsed.parse(pool.view, start, pool.length[slot] as number)) return drop(context, slot, "packet-malformed");
    const reason = context.allowedIps.checkInbound(pool, start, parsed);
    if (reason !== 0) return dropFor(context, slot, reason);
    pool.length[slot] = parsed.length;
    pool.time[slot] = now;
    if (parsed.protocol === PROTOCOL.TCP) {
      // The announced segment size decides how large the packets are that this end has to send back.
      if (isSyn(pool.view, start, parsed)) clampMss(pool.view, start, parsed, largestWhole(context), isPartial);
      this.#onTcp(now, start, parsed);
    }
    context.activity.lastPacketAt = now;
    this.packets++;
    this.bytes += parsed.length;
    context.resequencer.push(now, slot);
  }
}

/**
 * Returns the size of the largest packet that no path in use has to fragment, as far as their MTUs are known; at most the tunnel's MTU.
 * A path below the base size does not count: its fragments cost less than small packets on all the others.
 */
function largestWhole(context: PortalContext): number {
  const { paths, settings, overhead } = context;
  const used = paths.list.filter((path) => path.isUp && !isReserve(path, paths.list));
  let datagram = Number.POSITIVE_INFINITY;
  for (const path of used) if (path.pathMtu.state !== "searching") datagram = Math.min(datagram, path.mtu);
  return Math.min(settings.mtu, Math.max(datagram, BASE_DATAGRAM) - HEADER_SIZE - DATA_SIZE - overhead);
}

function isReserve(path: Path, all: readonly Path[]): boolean {
  return all.some((other) => other.isUp && other.metric < path.metric);
}
