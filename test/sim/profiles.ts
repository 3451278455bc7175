/**
 * Sets of links to measure on, by name: the 16 published profiles of mqvpn's report (two links each) and the dissertation's.
 * Both directions of a link have the same shape. A profile is plain values, for the simulator and the lab alike.
 */
import { MICROS_PER_MILLI } from "../../src/clock.ts";
import { DEFAULT_SHAPE, type LinkShape } from "./link-model.ts";

const PUBLISHED_QUEUE = 1000;
const DISSERTATION_QUEUE = 100;

/** @param rate Mbit/s; @param delay one way, ms; @param jitter deviation, ms, with reordering; @param loss share */
function link(rate: number, delay: number, jitter = 0, loss = 0): LinkShape {
  return {
    ...DEFAULT_SHAPE,
    rate: rate * 1e6,
    delay: delay * MICROS_PER_MILLI,
    jitter: jitter * MICROS_PER_MILLI,
    reorder: jitter > 0,
    loss,
    queuePackets: PUBLISHED_QUEUE,
  };
}

/** mqvpn's 16, two links each. */
export const PUBLISHED_PROFILES = {
  baseline: [link(50, 20), link(50, 20)],
  rtt_40: [link(50, 20), link(50, 40)],
  rtt_70: [link(50, 20), link(50, 70)],
  rtt_120: [link(50, 20), link(50, 120)],
  rtt_320: [link(50, 20), link(50, 320)],
  jit_5: [link(50, 20, 5), link(50, 20, 5)],
  jit_20: [link(50, 20, 20), link(50, 20, 20)],
  loss_05: [link(50, 20, 0, 0.005), link(50, 20, 0, 0.005)],
  loss_2: [link(50, 20, 0, 0.02), link(50, 20, 0, 0.02)],
  bw_4to1: [link(50, 20), link(12, 20)],
  bw_10to1: [link(100, 20), link(10, 20)],
  dual_lte: [link(40, 30, 5, 0.005), link(25, 45, 8, 0.005)],
  fiber_lte: [link(300, 8), link(30, 40, 8, 0.005)],
  lte_starlink: [link(40, 35, 8), link(100, 50, 25, 0.01)],
  lte_geo: [link(40, 35), link(20, 320, 20, 0.005)],
  congested: [link(20, 50, 20, 0.02), link(15, 60, 25, 0.02)],
} as const satisfies Record<string, readonly LinkShape[]>;

export type PublishedProfile = keyof typeof PUBLISHED_PROFILES;

/** The dissertation's links: rates in Mbit/s, 10 ms round trip. */
export const DISSERTATION_PROFILES = {
  "2x8": sameDelay(8, 8),
  "2x16": sameDelay(16, 16),
  "8+16": sameDelay(8, 16),
  "16+32": sameDelay(16, 32),
  "3x16": sameDelay(16, 16, 16),
  "4x16": sameDelay(16, 16, 16, 16),
  "8x8": sameDelay(8, 8, 8, 8, 8, 8, 8, 8),
} as const satisfies Record<string, readonly LinkShape[]>;

export type DissertationProfile = keyof typeof DISSERTATION_PROFILES;

function sameDelay(...rates: number[]): readonly LinkShape[] {
  return rates.map((rate) => ({ ...link(rate, 5), queuePackets: DISSERTATION_QUEUE }));
}
