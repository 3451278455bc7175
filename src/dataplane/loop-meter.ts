// @hot
/**
 * Measures the loop of the data plane: how long a turn lasts, and how late one begins that a timer was set for. Long turns are our own doing
 * (a batch, a collection of garbage); late ones are the machine's, which gave the core to others. Either costs latency, and a receive buffer overflows after a
 * long one.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { DurationSnapshot, LoopSnapshot } from "../portal/snapshot.ts";

/** Time after which new counts are begun, µs; those before are told for as long again. */
const ERA: Micros = 60 * MICROS_PER_SECOND;
/** Four buckets for each power of two, so that a bucket is at most a quarter wider than the one below. */
const SUB_BUCKETS = 4;
const BUCKETS = 32 * SUB_BUCKETS;

export class LoopMeter {
  #turns = new Durations();
  #lateness = new Durations();
  #turnsBefore = new Durations();
  #latenessBefore = new Durations();
  #eraEnds: Micros = 0;

  /**
   * Notes a turn.
   * @param dueAt when a timer was to begin it, Infinity if none was or if input came first
   */
  turn(dueAt: Micros, began: Micros, ended: Micros): void {
    if (ended >= this.#eraEnds) this.#beginEra(ended);
    this.#turns.add(ended - began);
    if (dueAt <= began) this.#lateness.add(began - dueAt);
  }

  /** Returns the figures of the last one to two minutes. */
  snapshot(): LoopSnapshot {
    return {
      turn: summary(this.#turns, this.#turnsBefore),
      lateness: summary(this.#lateness, this.#latenessBefore),
    };
  }

  #beginEra(now: Micros): void {
    const isRecent = now - this.#eraEnds < ERA;
    [this.#turns, this.#turnsBefore] = [this.#turnsBefore, this.#turns];
    [this.#lateness, this.#latenessBefore] = [this.#latenessBefore, this.#lateness];
    this.#turns.clear();
    this.#lateness.clear();
    if (!isRecent) {
      this.#turnsBefore.clear();
      this.#latenessBefore.clear();
    }
    this.#eraEnds = now + ERA;
  }
}

/** A histogram of durations. */
class Durations {
  readonly counts = new Uint32Array(new ArrayBuffer(4 * BUCKETS));
  longest: Micros = 0;

  add(duration: Micros): void {
    const bucket = bucketOf(duration);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    if (duration > this.longest) this.longest = duration;
  }

  clear(): void {
    this.counts.fill(0);
    this.longest = 0;
  }
}

function bucketOf(duration: Micros): number {
  if (duration < SUB_BUCKETS) return Math.max(0, duration);
  if (duration >= 2 ** 31) return BUCKETS - 1;
  const exponent = 31 - Math.clz32(duration);
  return SUB_BUCKETS * (exponent - 1) + ((duration >>> (exponent - 2)) & (SUB_BUCKETS - 1));
}

/** Returns the shortest duration above all of a bucket. */
function endOf(bucket: number): Micros {
  if (bucket < SUB_BUCKETS) return bucket + 1;
  const exponent = Math.floor(bucket / SUB_BUCKETS) + 1;
  return (SUB_BUCKETS + (bucket % SUB_BUCKETS) + 1) * 2 ** (exponent - 2);
}

/** Returns the longest duration of both, and the one that 99.9 % did not exceed, up to the width of a bucket. */
function summary(a: Durations, b: Durations): DurationSnapshot {
  const longest = Math.max(a.longest, b.longest);
  let total = 0;
  for (let i = 0; i < BUCKETS; i++) total += (a.counts[i] as number) + (b.counts[i] as number);
  let above = Math.floor(total / 1_000);
  let bucket = BUCKETS - 1;
  for (; bucket > 0; bucket--) {
    above -= (a.counts[bucket] as number) + (b.counts[bucket] as number);
    if (above < 0) break;
  }
  return { count: total, p999: total === 0 ? 0 : Math.min(longest, endOf(bucket)), longest };
}
