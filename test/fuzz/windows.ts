/** The windows against replay, beside a set that forgets nothing. */

import { RECEIVE_WINDOW, ReceivedPackets } from "../../src/path/received-packets.ts";
import { ReplayWindow } from "../../src/security/replay-window.ts";
import type { Ack } from "../../src/wire/ack.ts";
import { Ack as AckMessage } from "../../src/wire/ack.ts";
import { seedsOf } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { Operations } from "./operations.ts";
import { check, type Target } from "./target.ts";

const WINDOW = 256;
/** More steps back than this are as good as any. */
const FAR = 40_000;

class Bench {
  readonly #window = new ReplayWindow(WINDOW);
  readonly #received = new ReceivedPackets();
  readonly #report: Ack = new AckMessage();
  readonly #accepted = new Set<number>();
  readonly #windowAccepted = new Set<number>();
  #number = 0;
  #now = 0;

  attempt(input: Uint8Array): void {
    const operations = new Operations(input);
    while (!operations.isDone) this.#step(operations);
    this.#checkReport();
    if (this.#accepted.size > 60_000) this.#forget();
  }

  #step(operations: Operations): void {
    this.#number = Math.max(0, this.#number + this.#jump(operations));
    this.#now += operations.below(2_000);
    const [number, received, window] = [this.#number, this.#received, this.#window];
    const before = [received.largest, received.packets, window.largest];
    const isNew = received.isNew(number);
    const isTaken = received.accept(number, this.#now, 10);
    check(isNew === isTaken, "says otherwise than it does");
    check(!isTaken || !this.#accepted.has(number), "accepted a packet number twice");
    const isLate = number <= (before[0] as number) - RECEIVE_WINDOW + 32;
    check(isTaken || this.#accepted.has(number) || isLate, "refused a new one");
    if (isTaken) this.#accepted.add(number);
    else check(received.largest === before[0] && received.packets === before[1], "a refused one changed something");
    const isIn = window.accept(number);
    check(!isIn || !this.#windowAccepted.has(number), "accepted a sequence twice");
    check(isIn || this.#windowAccepted.has(number) || number + window.size <= window.largest, "refused a new sequence");
    if (isIn) this.#windowAccepted.add(number);
    if (operations.oneIn(8)) received.giveUp(this.#now, operations.below(5_000));
    check(received.ack <= received.largest && received.nack <= received.ack, "order of what it tells");
  }

  #jump(operations: Operations): number {
    const kind = operations.below(16);
    if (kind < 9) return 1;
    if (kind < 12) return operations.below(9) - 4;
    if (kind < 14) return -operations.below(700);
    if (kind === 14) return operations.below(FAR);
    return operations.oneIn(4) ? 1_000_000 : -operations.below(FAR);
  }

  /** Checks that everything acknowledged was received, down to where the window ends. */
  #checkReport(): void {
    const { largest } = this.#received;
    if (largest < 0) return;
    const report = this.#report;
    this.#received.report(report, this.#now);
    let at = report.largest;
    for (let i = 0; i < report.ranges; i++) {
      at -= report.pairs[2 * i] as number;
      for (let left = report.pairs[2 * i + 1] as number; left > 0; left--, at--)
        check(this.#accepted.has(at), "told as received what was not");
    }
    check(report.packets === this.#received.packets, "packets");
  }

  #forget(): void {
    for (const set of [this.#accepted, this.#windowAccepted])
      for (const number of set) if (number < this.#received.largest - 2 * FAR) set.delete(number);
  }
}

export const WINDOWS: Target = {
  draw: (random) => mutate(random, seedsOf("windows"), 400),
  start() {
    const bench = new Bench();
    return (_random, input) => bench.attempt(input);
  },
};
