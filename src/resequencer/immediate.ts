/** The dissertation's immediate dispatch: packets go to the host as they come. */
import { type Micros, NEVER } from "../clock.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import type { Slot } from "../memory/packet-pool.ts";
import { Ring } from "../memory/ring.ts";
import type { Resequencer } from "./resequencer.ts";

export class ImmediateDispatch implements Resequencer {
  readonly name = "immediate";
  hold: Micros = 0;
  readonly heldTotal = 0;
  readonly expired = 0;
  readonly late = 0;
  readonly #ready: Ring;

  /** @param capacity at least as many as the pool has slots, so that it never overflows */
  constructor(capacity: number) {
    this.#ready = new Ring(capacity);
  }

  get held(): number {
    return this.#ready.length;
  }

  push(_now: Micros, slot: Slot): void {
    this.#ready.push(slot);
  }

  poll(_now: Micros, out: PacketBatch): number {
    return this.#ready.drainTo(out);
  }

  /** Does nothing, as no packet waits for another here. */
  abandon(): void {}
  reset(): void {}

  deadline(): Micros {
    return this.#ready.length > 0 ? 0 : NEVER;
  }
}
