/** One direction of an emulated cable: frames are read from one TAP, meet a `LinkModel`, and are written to the other. */

import { type Libc, pointerTo } from "../../ffi/libc.ts";
import type { Micros } from "../../src/clock.ts";
import { LINK_DROP, LinkModel, type LinkOutput, type LinkShape } from "../sim/link-model.ts";
import { SeededRandom } from "../support/random.ts";
import { Attacker } from "./attacker.ts";
import type { DirectionCounters } from "./emulator-protocol.ts";
import type { FrameStore } from "./frame-store.ts";

/** Bytes of an Ethernet header: the model counts from the IP header and adds the wire's overhead itself. */
const ETHERNET_HEADER = 14;
/** Room for one frame that somebody adds. */
const FORGERY_SIZE = 2_048;

export class EmulatedDirection implements LinkOutput {
  readonly model: LinkModel;
  readonly attacker: Attacker;
  readonly from: number;
  readonly #to: number;
  readonly #libc: Libc;
  readonly #frames: FrameStore;
  readonly #forgery = new Uint8Array(new ArrayBuffer(FORGERY_SIZE));
  readonly #forgeryAddress = pointerTo(this.#forgery);
  #refused = 0;

  constructor(from: number, to: number, shape: Partial<LinkShape>, seed: number, libc: Libc, frames: FrameStore) {
    this.model = new LinkModel(shape, seed);
    this.attacker = new Attacker(new SeededRandom(seed));
    this.from = from;
    this.#to = to;
    this.#libc = libc;
    this.#frames = frames;
  }

  /** Takes the frames that wait in the TAP, at most `limit`. */
  read(now: Micros, limit: number): void {
    for (let i = 0; i < limit; i++) {
      const slot = this.#frames.acquire();
      const length = this.#libc.read(this.from, this.#frames.addressOf(slot), this.#frames.slotSize);
      if (length <= ETHERNET_HEADER) {
        this.#frames.release(slot);
        return;
      }
      this.#frames.lengths[slot] = length;
      const copies = this.model.offer(now, length - ETHERNET_HEADER, slot, this);
      if (copies === 0) this.#frames.release(slot);
      else this.#frames.shares[slot] = copies;
    }
  }

  arrive(slot: number): void {
    const length = this.#frames.lengths[slot] as number;
    if (this.#libc.write(this.#to, this.#frames.addressOf(slot), length) !== length) this.#refused++;
    this.attacker.see(this.#frames.bytesOf(slot, length));
    this.discard(slot);
  }

  /** Adds what an attacker has ready. */
  attack(now: Micros): void {
    this.attacker.act(now, (frame) => {
      this.#forgery.set(frame);
      return this.#libc.write(this.#to, this.#forgeryAddress, frame.length) === frame.length;
    });
  }

  discard(slot: number): void {
    const shares = (this.#frames.shares[slot] as number) - 1;
    this.#frames.shares[slot] = shares;
    if (shares === 0) this.#frames.release(slot);
  }

  counters(): DirectionCounters {
    const { model } = this;
    const causes = Object.entries(LINK_DROP).map(([name, index]) => [name, model.drops[index]]);
    return {
      offered: model.offered,
      offeredBytes: model.offeredBytes,
      arrived: model.arrived,
      drops: Object.fromEntries(causes),
      queuedPackets: model.queuedPackets,
      queuedMillis: model.queuedTime / 1_000,
      peakBacklogBytes: model.peakBacklog,
      refused: this.#refused,
      attacks: { ...this.attacker.counts },
    };
  }
}
