/** The last datagram of a path. */
import type { Micros } from "../../clock.ts";
import { NO_SLOT } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { CLOSE_SIZE, writeClose } from "../../wire/close.ts";
import type { PortalContext } from "../context.ts";

/** Tells the peer that a path is over, so that it need not find out by silence. @param reason one of `CLOSE_REASON` */
export function sayGoodbye({ pool, events }: PortalContext, now: Micros, path: Path, reason: number): void {
  const slot = path.state === "exchanging" ? NO_SLOT : pool.take();
  if (slot === NO_SLOT) return;
  writeClose(pool.view, pool.start[slot] as number, reason);
  pool.length[slot] = CLOSE_SIZE;
  path.seal(now, pool, slot, false);
  const from = pool.start[slot] as number;
  const message = pool.bytes.slice(from, from + (pool.length[slot] as number));
  pool.release(slot);
  events.push({ type: "send", socket: path.socket, remote: path.remote.slice(), local: path.local.slice(), message });
}
