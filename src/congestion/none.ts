/** No congestion control: for a transport that has its own (TCP), and for measurements. */
import type { CongestionController } from "./controller.ts";

export class NoCongestionControl implements CongestionController {
  readonly name = "none";
  limit = Number.POSITIVE_INFINITY;
  readonly window = Number.POSITIVE_INFINITY;
  readonly mode = "";
  readonly estimate = 0;
  readonly isSettled = true;
  readonly randomLoss = 0;

  get pacingRate(): number {
    return this.limit;
  }

  onSent(): void {}
  onAcked(): void {}
  onLost(): void {}
  onSpurious(): void {}
  onIdleRestart(): void {}
}
