/** The last datagram of a path. */
import type { Micros } from "../../clock.ts";
import { NO_SLOT } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { CLOSE_SIZE, MESSAGE } from "../../wire/messages.ts";
import type { PortalContext } from "../context.ts";

/** Tells the peer that a path is over, so that it need not find out by silence. @param reason one of `CLOSE_REASON` */
export function sayGoodbye({ pool, events }: PortalContext, now: Micros, path: Path, reason: number): void {
  const slot = path.state === "exchanging" ? NO_SLOT : pool.take();
  if (slot === NO_SLOT) return;
  const start = pool.start[slot] as number;
  pool.view.setUint8(start, MESSAGE.CLOSE << 4);
  pool.view.setUint8(start + 1, reason);
  pool.length[slot] = CLOSE_SIZE;
  path.seal(now, pool, slot, false);
  const from = pool.start[slot] as number;
  const message = pool.bytes.slice(from, from + (pool.length[slot] as number));
  pool.release(slot);
  events.push({ type: "send", socket: path.socket, remote: path.remote.slice(), local: path.local.slice(), message });
}
