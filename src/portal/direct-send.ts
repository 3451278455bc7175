/** Sends single datagrams past queues and congestion control: the end of a path, a person's question. */
import type { Micros } from "../clock.ts";
import { NO_SLOT, type PacketPool } from "../memory/packet-pool.ts";
import type { Path } from "../path/path.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";
import type { PortalContext } from "./context.ts";

/** Writes a message at `at` in the arena; returns the offset behind it. */
type WriteMessage = (pool: PacketPool, at: number) => number;

/** Seals one message for `path` and sends it at once; not without a free slot, nor beyond what an unproven address may get. */
export function sendDirectly(context: PortalContext, now: Micros, path: Path, write: WriteMessage): void {
  // The keys of a path that has ended are erased: a message may follow in the datagram that ended it.
  if (path.state === "down") return;
  const { pool, events, overhead } = context;
  const slot = pool.take();
  if (slot === NO_SLOT) return;
  const start = pool.start[slot] as number;
  const length = write(pool, start) - start;
  if (!path.roaming.allows(HEADER_SIZE + length + overhead)) return pool.release(slot);
  pool.length[slot] = length;
  path.seal(now, pool, slot, false);
  const from = pool.start[slot] as number;
  const message = pool.bytes.slice(from, from + (pool.length[slot] as number));
  pool.release(slot);
  events.push({ type: "send", socket: path.socket, remote: path.remote.slice(), local: path.local.slice(), message });
}
