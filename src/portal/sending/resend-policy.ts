// @hot
/**
 * Decides which packets a path sends again, and when. A path's packets in order of precedence:
 *
 *     retransmission ─▶ reinjection of one ─▶ overdue packet, if another path is idle ─▶ (new packet) ─▶ overdue packet ─▶ reinjection in advance
 *
 * A flow waits for every lost packet, and for a lost retransmission so long that its host notices. Hence retransmissions are reinjected at once
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

/** A path may retransmit if it delivers at most this much later than the fastest. */
const SLACK: Micros = 5_000;

/** The part of the portal that the policy reads. */
export type ResendContext = Pick<PortalContext, "paths" | "pool" | "estimate">;

export class ResendPolicy {
  readonly #context: ResendContext;
  readonly #retransmissions: Retransmissions;
  readonly #records: PathRecords;
  /** Answers for the path given to `prepare`. */
  #mayRetransmit = false;
  #mayReinject = false;
  #mayReinjectUrgent = false;
  #isOtherIdle = false;
  /** True if the packet that `nextUrgent` returned last is to be reinjected, should this transmission be lost too. */
  #isUrgent = false;
  /** True if the packet that `nextUrgent` returned last had been declared lost. */
  isRetransmission = false;

  constructor(context: ResendContext, retransmissions: Retransmissions, records: PathRecords) {
    this.#context = context;
    this.#retransmissions = retransmissions;
    this.#records = records;
  }

  /** Finds what `path` may send again; must be called before the other methods, whenever the path may send. */
  prepare(path: Path): void {
    const { length, urgentReinjections } = this.#retransmissions;
    const { reinjectionLifetime } = this.#context.estimate;
    const { isMetered } = path.limits;
    const isFast = this.#isAmongFastest(path, SLACK);
    this.#mayRetransmit = isFast && length > 0;
    this.#mayReinject = isFast && !isMetered;
    this.#mayReinjectUrgent =
      urgentReinjections.length > 0 && !isMetered && this.#isAmongFastest(path, reinjectionLifetime);
    this.#isOtherIdle = this.#mayReinject && this.#hasIdle(path);
  }

  /** Returns a packet that goes before all new ones, now the caller's; `NO_SLOT` for none. */
  nextUrgent(now: Micros, path: Path): Slot {
    let slot = this.#mayRetransmit ? this.#retransmissions.next(now) : NO_SLOT;
    this.isRetransmission = slot !== NO_SLOT;
    this.#isUrgent = this.isRetransmission;
    if (this.isRetransmission) return slot;
    if (this.#mayReinjectUrgent) slot = this.#nextUrgentReinjection(now, path);
    if (slot < 0 && this.#isOtherIdle) slot = this.#nextOverdue(now);
    if (slot !== NO_SLOT) this.#records.of(path).reinjections++;
    return slot;
  }

  /** Returns a packet for a path that has nothing else to send, now the caller's; `NO_SLOT` for none. */
  nextIdle(now: Micros, path: Path): Slot {
    if (!this.#mayReinject) return NO_SLOT;
    let slot = this.#nextOverdue(now);
    if (slot < 0) {
      slot = this.#retransmissions.reinjections.next(now, path.id, this.#context.estimate.reinjectionLifetime);
    }
    if (slot !== NO_SLOT) this.#records.of(path).reinjections++;
    return slot;
  }

  /** Offers the packet that `path` is about to send for reinjection, if it is worth it. */
  offer(now: Micros, path: Path, slot: Slot): void {
    const { reinjections, urgentReinjections } = this.#retransmissions;
    const attempts = this.#context.pool.attempts[slot] as number;
    if (this.#isUrgent && attempts < MAX_ATTEMPTS) urgentReinjections.offer(now, slot, path.id);
    else if (attempts === 1 && isLossy(path)) reinjections.offer(now, slot, path.id);
  }

  /** Returns when `nextUrgent` has a packet that it has not now; a time in the past if it may have one already. */
  dueAt(): Micros {
    const { length, urgentReinjections } = this.#retransmissions;
    return length > 0 ? 0 : urgentReinjections.overdueAt(this.#context.estimate.overdueAfter);
  }

  #nextUrgentReinjection(now: Micros, path: Path): Slot {
    const { urgentReinjections } = this.#retransmissions;
    const { overdueAfter, reinjectionLifetime } = this.#context.estimate;
    const lifetime = overdueAfter + reinjectionLifetime;
    if (this.#isOtherIdle) return urgentReinjections.next(now, path.id, lifetime);
    const slot = urgentReinjections.nextOverdue(now, overdueAfter, lifetime);
    this.#isUrgent = slot !== NO_SLOT;
    return slot;
  }

  /** Returns a packet that was sent once, by any lossy path, and is overdue; `NO_SLOT` for none. */
  #nextOverdue(now: Micros): Slot {
    const { pool, paths } = this.#context;
    for (let i = 0; i < paths.list.length; i++) {
      const carrier = paths.list[i] as Path;
      if (!isLossy(carrier)) continue;
      const { overdue } = carrier.recovery;
      let slot = overdue.next(now, carrier.sent, carrier.rtt);
      // Fragments are not reinjected one by one.
      while (slot >= 0 && (slot >= pool.count || pool.attempts[slot] !== 1 || pool.class[slot] !== CLASS.ORDERED)) {
        slot = overdue.next(now, carrier.sent, carrier.rtt);
      }
      if (slot < 0) continue;
      pool.retain(slot);
      return slot;
    }
    return NO_SLOT;
  }

  #hasIdle(besides: Path): boolean {
    const { list } = this.#context.paths;
    for (let i = 0; i < list.length; i++) {
      const other = list[i] as Path;
      if (other === besides || !other.isUp || other.metric !== besides.metric) continue;
      if (this.#records.of(other).isStarved) return true;
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
