// @hot
/**
 * Host to network. In the order a packet meets them: `handlePacket` looks at it, names its flow and queues it;
 * `pollDatagrams` lets the scheduler pick for a path, wraps, numbers and seals. Control messages go before data.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import { NO_SLOT, PACKET_FLAG, type Slot } from "../memory/packet-pool.ts";
import { Ring } from "../memory/ring.ts";
import type { Path } from "../path/path.ts";
import { Flows } from "../queue/flows.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";
import { turnIntoTooBig } from "../wire/icmp.ts";
import { Glance } from "../wire/ip.ts";
import { Ack, DATA_FLAG, DATA_SIZE, MESSAGE, PROBE_SIZE, writeData } from "../wire/messages.ts";
import { clampMss } from "../wire/mss.ts";
import { drop, type PortalContext } from "./context.ts";

/** While users' packets flow, an idle path is probed this often, so that it is known to be there when needed. */
const ACTIVE_KEEPALIVE: Micros = MICROS_PER_SECOND;
const ACTIVE_FOR: Micros = 15 * MICROS_PER_SECOND;

export class Outbound {
  readonly #context: PortalContext;
  readonly #flows: Flows;
  readonly #glance = new Glance();
  readonly #ack = new Ack();
  /** Errors on their way back to the host. */
  readonly #toHost: Ring;
  /** When a user's packet last passed, either way. */
  lastActivity: Micros = -NEVER;
  /** The lowest metric of the paths that are up; only paths with this one carry packets. */
  activeMetric = NEVER;
  packets = 0;
  bytes = 0;

  constructor(context: PortalContext) {
    this.#context = context;
    const salt = new Uint8Array(4);
    context.random(salt);
    this.#flows = new Flows(new DataView(salt.buffer).getUint32(0));
    this.#toHost = new Ring(64);
  }

  /** An IP packet from the host; its slot is the portal's from here. */
  handlePacket(now: Micros, slot: Slot): void {
    const context = this.#context;
    const { pool, settings } = context;
    const start = pool.start[slot] as number;
    const glance = this.#glance;
    if (!glance.at(pool.view, start, pool.length[slot] as number)) return drop(context, slot, "packet-malformed");
    pool.length[slot] = glance.length;
    if (glance.length > settings.mtu) return this.#refuseTooBig(slot);
    const isPartial = ((pool.flags[slot] as number) & PACKET_FLAG.CHECKSUM_PARTIAL) !== 0;
    if (glance.protocol === 6) clampMss(pool.view, start, glance, settings.mtu, isPartial);
    const bucket = this.#flows.bucketOf(pool.view, start, glance);
    if (!context.queue.push(now, slot, glance.length)) return drop(context, slot, "queue-full");
    this.#flows.assign(pool, slot, bucket);
    pool.time[slot] = now;
    this.lastActivity = now;
    this.packets++;
    this.bytes += glance.length;
  }

  #refuseTooBig(slot: Slot): void {
    const { pool, settings } = this.#context;
    if (turnIntoTooBig(pool, slot, settings.mtu) && this.#toHost.push(slot)) return;
    drop(this.#context, slot, "packet-too-big");
  }

  /** Appends errors for the host to `out`, whose owner then has the slots. */
  pollErrors(out: PacketBatch): void {
    while (!out.isFull) {
      const slot = this.#toHost.shift();
      if (slot < 0) return;
      out.push(slot);
    }
  }

  /** Appends the datagrams that `path` may send now to `out`; whoever sends them releases the slots. */
  pollDatagrams(now: Micros, path: Path, out: PacketBatch): void {
    if (path.isBlocked || path.state === "exchanging" || path.state === "down") return;
    this.#pollControl(now, path, out);
    if (!path.isUp || path.metric !== this.activeMetric) return;
    const { queue, scheduler } = this.#context;
    while (!out.isFull && path.maySend(now)) {
      const slot = scheduler.next(now, path, queue);
      if (slot < 0) break;
      this.#sendPacket(now, path, slot, out);
    }
    path.appLimited = queue.length === 0;
  }

  #sendPacket(now: Micros, path: Path, slot: Slot, out: PacketBatch): void {
    const { pool, overhead } = this.#context;
    const length = pool.length[slot] as number;
    if (length + DATA_SIZE + HEADER_SIZE + overhead > path.mtu) return drop(this.#context, slot, "packet-too-big");
    const start = (pool.start[slot] as number) - DATA_SIZE;
    const isPartial = ((pool.flags[slot] as number) & PACKET_FLAG.CHECKSUM_PARTIAL) !== 0;
    writeData(
      pool.view,
      start,
      isPartial ? DATA_FLAG.CHECKSUM_PARTIAL : 0,
      pool.flow[slot] as number,
      pool.class[slot] as number,
      pool.sequence[slot] as number,
    );
    pool.start[slot] = start;
    pool.length[slot] = length + DATA_SIZE;
    path.seal(now, pool, slot, true);
    out.push(slot);
  }

  #pollControl(now: Micros, path: Path, out: PacketBatch): void {
    if (out.isFull) return;
    const ackDue = path.acks.dueAt(path.rtt.smoothed) <= now;
    const probeDue = this.#probeDue(now, path);
    if (!ackDue && !probeDue) return;
    const slot = this.#context.pool.take();
    if (slot === NO_SLOT) return;
    this.#writeControl(now, path, slot, ackDue, probeDue);
    path.seal(now, this.#context.pool, slot, probeDue);
    out.push(slot);
  }

  #writeControl(now: Micros, path: Path, slot: Slot, ackDue: boolean, probeDue: boolean): void {
    const { pool } = this.#context;
    const start = pool.start[slot] as number;
    let end = start;
    if (ackDue && path.received.largest >= 0) {
      const ack = this.#ack;
      path.received.report(ack, now);
      ack.index = path.settings.peerIndex;
      ack.write(pool.view, end);
      end += ack.size;
    }
    if (ackDue) path.acks.sent(now);
    if (probeDue) {
      pool.view.setUint8(end, MESSAGE.PROBE << 4);
      end += PROBE_SIZE;
    }
    pool.length[slot] = end - start;
  }

  #probeDue(now: Micros, path: Path): boolean {
    if (path.liveness.takeProbe(now, path.rtt) || path.probeWanted) {
      path.probeWanted = false;
      return true;
    }
    return path.isUp && now >= this.#keepAliveAt(now, path);
  }

  #keepAliveAt(now: Micros, path: Path): Micros {
    const isActive = now - this.lastActivity < ACTIVE_FOR;
    return path.lastSentAt + (isActive ? Math.min(ACTIVE_KEEPALIVE, path.settings.keepAlive) : path.settings.keepAlive);
  }

  /** When `pollDatagrams` next has something for `path` that it has not now. */
  deadline(now: Micros, path: Path): Micros {
    let at = path.deadline();
    if (path.isBlocked) return at;
    if (path.isUp) at = Math.min(at, this.#keepAliveAt(now, path));
    const mayCarry = path.isUp && path.metric === this.activeMetric && this.#context.queue.length > 0;
    return mayCarry ? Math.min(at, path.maySendAt(now)) : at;
  }

  get hasErrors(): boolean {
    return this.#toHost.length > 0;
  }
}
