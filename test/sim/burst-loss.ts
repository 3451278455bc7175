/** Bursty loss after Gilbert and Elliott: two states, each with its loss, changed with a probability per packet. */
import type { SeededRandom } from "../support/random.ts";

export interface BurstLoss {
  readonly goodToBad: number;
  readonly badToGood: number;
  readonly lossWhenGood: number;
  readonly lossWhenBad: number;
}

export class BurstState {
  #isBad = false;

  /** True if the next packet is lost. */
  loses(random: SeededRandom, bursts: BurstLoss): boolean {
    if (random.chance(this.#isBad ? bursts.badToGood : bursts.goodToBad)) this.#isBad = !this.#isBad;
    return random.chance(this.#isBad ? bursts.lossWhenBad : bursts.lossWhenGood);
  }
}
