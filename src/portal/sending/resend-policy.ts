// @hot
/**
 * What a path carries besides what is new: packets taken for lost, and copies of packets that may be. In this order:
 *
 *     repair ─▶ its copy ─▶ what is overdue, if another path has nothing to do ─▶ (what is new) ─▶ what is overdue ─▶ a copy in advance
 *
 * A flow waits for whatever was lost, and for a repair that was lost again so much longer that its host takes notice. Hence repairs are copied at once
 * where that displaces nothing, and otherwise as soon as they are overdue.
 */
import type { Micros } from "../../clock.ts";
import { NO_SLOT, type Slot } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { CLASS } from "../../wire/messages.ts";
import type { PortalContext } from "../context.ts";
import { MAX_ATTEMPTS } from "./retransmissions.ts";

/** A path may repair if it delivers at most this much later than the fastest. */
const SLACK: Micros = 5_000;
/** A path that loses more than this of its own has its packets copied where there is room. */
const LOSSY = 0.001;

export class Repeats {
  readonly #context: PortalContext;
  #mayRepair = false;
  #mayCopy = false;
  #mayRepeat = false;
  #hasSpare = false;
  /** What was told last is waited for so much that, should it be lost too, it goes once more. */
  #isPressing = false;
  /** Whether what `urgent` told last had been taken for lost. */
  isRepair = false;

  constructor(context: PortalContext) {
    this.#context = context;
  }

  /** To be called before the others, for a path that may send. */
  consider(path: Path): void {
    const { length, repeats, copyPatience } = this.#context.repair;
    const isFast = this.#isAmongFastest(path, SLACK);
    this.#mayRepair = isFast && length > 0;
    this.#mayCopy = isFast && !path.limits.isMetered;
    this.#mayRepeat = repeats.length > 0 && !path.limits.isMetered && this.#isAmongFastest(path, copyPatience);
    this.#hasSpare = this.#mayCopy && this.#isOtherIdle(path);
  }

  /** A packet that goes before all new ones, owned by the caller; -1 for none. */
  urgent(now: Micros, path: Path): Slot {
    const { repair } = this.#context;
    let slot = this.#mayRepair ? repair.next(now) : NO_SLOT;
    this.isRepair = slot !== NO_SLOT;
    this.#isPressing = this.isRepair;
    if (this.isRepair) return slot;
    if (this.#mayRepeat) slot = this.#nextRepeat(now, path);
    if (slot < 0 && this.#hasSpare) slot = this.#nextOverdue(now);
    if (slot !== NO_SLOT) path.copies++;
    return slot;
  }

  /** A packet for a path that has nothing else to carry, owned by the caller; -1 for none. */
  idle(now: Micros, path: Path): Slot {
    if (!this.#mayCopy) return NO_SLOT;
    const { copies, copyPatience } = this.#context.repair;
    let slot = this.#nextOverdue(now);
    if (slot < 0) slot = copies.next(now, path.id, copyPatience);
    if (slot !== NO_SLOT) path.copies++;
    return slot;
  }

  /** `slot` is about to leave on `path`: may it be copied? */
  offer(now: Micros, path: Path, slot: Slot): void {
    const { repair, pool } = this.#context;
    const attempts = pool.attempts[slot] as number;
    if (this.#isPressing && attempts < MAX_ATTEMPTS) repair.repeats.offer(now, slot, path.id);
    else if (attempts === 1 && isLossy(path)) repair.copies.offer(now, slot, path.id);
  }

  /** When `urgent` has something that it has not now; in the past if it may have something. */
  dueAt(): Micros {
    const { repair } = this.#context;
    return repair.length > 0 ? 0 : repair.repeats.overdueAt(repair.overdue);
  }

  #nextRepeat(now: Micros, path: Path): Slot {
    const { repeats, overdue, copyPatience } = this.#context.repair;
    const patience = overdue + copyPatience;
    if (this.#hasSpare) return repeats.next(now, path.id, patience);
    const slot = repeats.nextOverdue(now, overdue, patience);
    this.#isPressing = slot !== NO_SLOT;
    return slot;
  }

  /** A packet that went once, on whatever path loses some, and is not acknowledged when it should be. */
  #nextOverdue(now: Micros): Slot {
    const { pool, paths } = this.#context;
    for (let i = 0; i < paths.list.length; i++) {
      const carrier = paths.list[i] as Path;
      if (!isLossy(carrier)) continue;
      let slot = carrier.overdue.next(now, carrier.sent, carrier.rtt);
      // Parts of a packet are not copied one by one.
      while (slot >= 0 && (slot >= pool.count || pool.attempts[slot] !== 1 || pool.class[slot] !== CLASS.ORDERED)) {
        slot = carrier.overdue.next(now, carrier.sent, carrier.rtt);
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
      if (other !== path && other.isUp && other.isStarved && other.metric === path.metric) return true;
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

export function isLossy(path: Path): boolean {
  return path.randomLoss > LOSSY;
}
