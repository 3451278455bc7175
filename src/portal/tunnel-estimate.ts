/**
 * Estimates every `INTERVAL` what the carrying paths can do together: their rate, the spread of their delays, and the times that follow from
 * both. All other parts read it.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { overdueAfter } from "../path/overdue.ts";
import type { Path } from "../path/path.ts";
import type { FlowLimits } from "../queue/flow-limits.ts";
import { LONGEST_HOLD } from "../wire/hold.ts";
import type { PathTable } from "./path-table.ts";

const INTERVAL: Micros = 20_000;
/** A flow whose backlog exceeds the useful one by this saturates the paths, µs at their rate. */
const SATURATION: Micros = 30_000;
/** A path whose rate is still being found may carry this many times its present estimate. */
const GROWTH = 3;
/** Delay above the base delay below which a path has no queue, unless its jitter is larger. */
const SHORT_QUEUE: Micros = 8_000;
/** Jitter above which a host's own search for the rate ends too early. */
const JITTERY: Micros = 1_000;
/** A path with more random loss than this has its packets reinjected where there is room. */
const LOSSY = 0.001;
/** Retransmission may take this many round-trip times of the best path, within the bounds below. */
const LIFETIME_RTTS = 5;
const SHORTEST_LIFETIME: Micros = 80_000;
const LONGEST_LIFETIME: Micros = 400_000;
/** Backlog with which a path's rate is found, in its round-trip times. */
const SEARCH_RTTS = 2;
/** Share of the tunnel's rate below which a path is not waited for. */
const NEGLIGIBLE = 0.02;

/** Bounds of the rate of a sparse flow, of that of a prompt one, and of their bursts: bytes per second and bytes. */
const LEAST_SPARSE = 16_000;
const MOST_SPARSE = 250_000;
const LEAST_PROMPT = 64_000;
const LEAST_BURST = 8_000;
const MOST_BURST = 64_000;
/** A burst lasts this long at the tunnel's rate. */
const BURST_TIME: Micros = 100_000;
/** Bytes per second assumed of a path whose controller estimates none. */
const MOST_RATE = 12_500_000;

export class TunnelEstimate implements FlowLimits {
  readonly #paths: PathTable;
  #nextAt: Micros = 0;
  /** Bytes per second of all carrying paths together. */
  rate = 0;
  /** Bytes per second that they may turn out to carry. */
  possibleRate = 0;
  /** True if a path in use may turn out to carry more. */
  isGrowing = false;
  /** Round-trip time of the best path: through the tunnel and back. */
  rtt: Micros = 0;
  /** Time a flow's packets may wait before the flow saturates the paths. */
  usefulWait: Micros = 0;
  /** True if delays differ so much, between paths or over time, that senders leave slow start too early. */
  needsAckGate = false;
  /** Age up to which a packet is retransmitted, from its first transmission. */
  retransmissionLifetime: Micros = MICROS_PER_SECOND / 5;
  /** Age up to which a packet is reinjected: later, a retransmission comes sooner. */
  reinjectionLifetime: Micros = MICROS_PER_SECOND / 50;
  /** Time after which an unacknowledged packet is overdue, on any path. */
  overdueAfter: Micros = MICROS_PER_SECOND / 10;
  /** Time for which the peer is to hold early packets; 0 for no resequencing. */
  hold: Micros = 0;
  spread: Micros = 0;
  sparseRate = MICROS_PER_SECOND / 8;
  promptRate = MICROS_PER_SECOND / 4;
  sparseBurst = MOST_BURST;

  constructor(paths: PathTable) {
    this.#paths = paths;
  }

  update(now: Micros): void {
    if (now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL;
    const { list, activeMetric } = this.#paths;
    const paths = list.filter((path) => path.isUp && path.metric === activeMetric && path.isMeasured);
    if (paths.length === 0) return;
    const best = paths.reduce((a, b) => (b.arrival < a.arrival ? b : a));
    this.#estimateRate(paths);
    this.rtt = best.rtt.smoothed;
    this.needsAckGate = paths.length > 1 || best.jitter > JITTERY;
    const used = paths.filter((path) => !path.controller.isSettled || path.estimate >= NEGLIGIBLE * this.rate);
    this.#estimateWaits(now, best, used);
    this.isGrowing = used.some(isGrowing);
  }

  #estimateRate(paths: readonly Path[]): void {
    this.rate = paths.reduce((sum, path) => sum + path.estimate, 0);
    this.possibleRate = paths.reduce((sum, path) => sum + path.estimate * (isGrowing(path) ? GROWTH : 1), 0);
    const rate = paths.reduce((sum, path) => sum + Math.min(path.estimate, MOST_RATE), 0);
    this.sparseRate = Math.min(MOST_SPARSE, Math.max(LEAST_SPARSE, rate / 16));
    this.promptRate = Math.max(LEAST_PROMPT, rate / 4);
    this.sparseBurst = Math.min(MOST_BURST, Math.max(LEAST_BURST, (rate * BURST_TIME) / MICROS_PER_SECOND));
  }

  #estimateWaits(now: Micros, best: Path, used: readonly Path[]): void {
    const most = (wait: (path: Path) => Micros): Micros => used.reduce((max, path) => Math.max(max, wait(path)), 0);
    const distance = most((path) => path.arrival - best.arrival);
    const jitter = most((path) => Math.max(path.jitter, path.recovery.reorder.window(now) / 3));
    const search = most((path) => (path.controller.isSettled ? 0 : path.rtt.smoothed));
    // What the far end holds for a retransmission, a round trip, or because of jitter must come from the queue before.
    const retransmission = used.some(isLossy) ? best.rtt.smoothed : 0;
    const useful = distance + retransmission + 3 * jitter;
    this.spread = useful + SEARCH_RTTS * search;
    this.usefulWait = useful + search / 2 + SATURATION;
    const lifetime = lifetimeOn(best);
    this.retransmissionLifetime = lifetime + most((path) => path.rtt.smoothed + path.recovery.reorder.window(now));
    this.reinjectionLifetime = best.rtt.smoothed;
    this.overdueAfter = most((path) => overdueAfter(path.rtt));
    this.hold = Math.min(LONGEST_HOLD, lifetime + distance + 3 * jitter + 10_000);
  }
}

/** Returns how long retransmissions by the best path are worth it, once a loss is detected. */
function lifetimeOn({ rtt }: Path): Micros {
  const rtts = LIFETIME_RTTS * (rtt.smoothed + rtt.deviation);
  return Math.min(LONGEST_LIFETIME, Math.max(SHORTEST_LIFETIME, rtts));
}

/** True if the path may carry more than is known: its rate is still being found, and it has no queue yet. */
function isGrowing(path: Path): boolean {
  return !path.controller.isSettled && path.arrival - path.delay.base < Math.max(SHORT_QUEUE, 4 * path.jitter);
}

/** True if the path loses so much at random that its packets are worth reinjecting. */
export function isLossy(path: Path): boolean {
  return path.randomLoss > LOSSY;
}
