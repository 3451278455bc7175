// @hot
/**
 * Chooses the packets that a path carries besides new ones: retransmissions of lost packets, and reinjections of packets that may be lost. In this order:
 *
 *     retransmission ─▶ its reinjection ─▶ overdue packets, if another path is idle ─▶ (new packets) ─▶ overdue packets ─▶ reinjection in advance
 *
 * A flow waits for a lost packet, and for a retransmission that is lost again so long that its host notices. Hence retransmissions are reinjected at once
 * where that displaces nothing, and otherwise as soon as they are overdue.
 */
import type { Micros } from "../../clock.ts";
import { NO_SLOT, type Slot } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { CLASS } from "../../wire/data.ts";
import type { PortalContext } from "../context.ts";
import { isLossy } from "../tunnel-estimate.ts";
import type { PathRecords } from "./path-records.ts";
import { MAX_ATTEMPTS, type Retransmissions } from "./retransmissions.ts";

/** A path may repair if it delivers at most this much later than the fastest. */
const SLACK: Micros = 5_000;

export class ResendPolicy {
  readonly #context: PortalContext;
  readonly #retransmissions: Retransmissions;
  readonly #records: PathRecords;
  #mayRetransmit = false;
  #mayReinject = false;
  #mayResend = false;
  #hasSpare = false;
  /** True if the packet `urgent` just returned is sent again should this transmission be lost too. */
  #isPressing = false;
  /** True if the packet `urgent` just returned had been declared lost. */
  isRetransmission = false;

  constructor(context: PortalContext, retransmissions: Retransmissions, records: PathRecords) {
    this.#records = records;
    this.#context = context;
    this.#retransmissions = retransmissions;
  }

  /** Prepares the choice for a path that may send; called before the others. */
  consider(path: Path): void {
    const { length, resends } = this.#retransmissions;
    const { reinjectionLifetime } = this.#context.estimate;
    const isFast = this.#isAmongFastest(path, SLACK);
    this.#mayRetransmit = isFast && length > 0;
    this.#mayReinject = isFast && !path.limits.isMetered;
    this.#mayResend = resends.length > 0 && !path.limits.isMetered && this.#isAmongFastest(path, reinjectionLifetime);
    this.#hasSpare = this.#mayReinject && this.#isOtherIdle(path);
  }

  /** Returns a packet that goes before all new ones, owned by the caller; -1 for none. */
  urgent(now: Micros, path: Path): Slot {
    const retransmissions = this.#retransmissions;
    let slot = this.#mayRetransmit ? retransmissions.next(now) : NO_SLOT;
    this.isRetransmission = slot !== NO_SLOT;
    this.#isPressing = this.isRetransmission;
    if (this.isRetransmission) return slot;
    if (this.#mayResend) slot = this.#nextResend(now, path);
    if (slot < 0 && this.#hasSpare) slot = this.#nextOverdue(now);
    if (slot !== NO_SLOT) this.#records.of(path).reinjections++;
    return slot;
  }

  /** Returns a packet for a path that has nothing else to carry, owned by the caller; -1 for none. */
  idle(now: Micros, path: Path): Slot {
    if (!this.#mayReinject) return NO_SLOT;
    const { reinjections } = this.#retransmissions;
    const { reinjectionLifetime } = this.#context.estimate;
    let slot = this.#nextOverdue(now);
    if (slot < 0) slot = reinjections.next(now, path.id, reinjectionLifetime);
    if (slot !== NO_SLOT) this.#records.of(path).reinjections++;
    return slot;
  }

  /** Offers `slot`, which is about to leave on `path`, for a later reinjection. */
  offer(now: Micros, path: Path, slot: Slot): void {
    const retransmissions = this.#retransmissions;
    const { pool } = this.#context;
    const attempts = pool.attempts[slot] as number;
    if (this.#isPressing && attempts < MAX_ATTEMPTS) retransmissions.resends.offer(now, slot, path.id);
    else if (attempts === 1 && isLossy(path)) retransmissions.reinjections.offer(now, slot, path.id);
  }

  /** Returns the time at which `urgent` has something that it has not now; in the past if it may have something. */
  dueAt(): Micros {
    const retransmissions = this.#retransmissions;
    return retransmissions.length > 0 ? 0 : retransmissions.resends.overdueAt(this.#context.estimate.overdueAfter);
  }

  #nextResend(now: Micros, path: Path): Slot {
    const { resends } = this.#retransmissions;
    const { overdueAfter, reinjectionLifetime } = this.#context.estimate;
    const lifetime = overdueAfter + reinjectionLifetime;
    if (this.#hasSpare) return resends.next(now, path.id, lifetime);
    const slot = resends.nextOverdue(now, overdueAfter, lifetime);
    this.#isPressing = slot !== NO_SLOT;
    return slot;
  }

  /** Returns a packet that was sent once, on a path with losses or not, and is not acknowledged in time. */
  #nextOverdue(now: Micros): Slot {
    const { pool, paths } = this.#context;
    for (let i = 0; i < paths.list.length; i++) {
      const carrier = paths.list[i] as Path;
      if (!isLossy(carrier)) continue;
      let slot = carrier.recovery.overdue.next(now, carrier.sent, carrier.rtt);
      // Parts of a packet are not copied one by one.
      while (slot >= 0 && (slot >= pool.count || pool.attempts[slot] !== 1 || pool.class[slot] !== CLASS.ORDERED)) {
        slot = carrier.recovery.overdue.next(now, carrier.sent, carrier.rtt);
      }
      if (slot < 0) continue;
      pool.retain(slot);
      return slot;
    }
    return NO_SLOT;
  }

  #isOtherIdle(path: Path): boolean {
    const { list } = this.#context.paths;
    for (let i = 0; i < list.length; i++) {
      const other = list[i] as Path;
      if (other !== path && other.isUp && this.#records.of(other).isStarved && other.metric === path.metric)
        return true;
    }
    return false;
  }

  #isAmongFastest(path: Path, slack: Micros): boolean {
    const { list } = this.#context.paths;
    for (let i = 0; i < list.length; i++) {
      const other = list[i] as Path;
      if (!other.isUp || other.metric !== path.metric || !other.isMeasured) continue;
      if (other.arrival + slack < path.arrival) return false;
    }
    return true;
  }
}
