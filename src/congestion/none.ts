/** No congestion control: for a transport that has its own (TCP), and for measurements. */
import type { CongestionController } from "./controller.ts";

export class NoCongestionControl implements CongestionController {
  readonly name = "none";
  limit = Number.POSITIVE_INFINITY;
  readonly window = Number.POSITIVE_INFINITY;
  readonly pacingRate = Number.POSITIVE_INFINITY;
  readonly estimate = 0;
  readonly isSettled = true;
  readonly ownLoss = 0;

  onSent(): void {}
  onAcked(): void {}
  onLost(): void {}
  onSpurious(): void {}
  onIdleRestart(): void {}
}
