/**
 * Which initiations have been read, by run of the peer and by their number in it: one that is played back is told apart, without a
 * clock. Of runs long gone nothing is known any more; what is played back of them opens a path that is never confirmed.
 */
import { ReplayWindow } from "../../security/replay-window.ts";

/** Attempts overtake each other when a peer has many links. */
const WINDOW = 256;
const RUNS = 64;

export class SeenAttempts {
  readonly #runs = new Map<string, ReplayWindow>();

  /** Notes an initiation; false if it was there before. */
  accept(run: string, attempt: number): boolean {
    const window = this.#runs.get(run) ?? new ReplayWindow(WINDOW);
    if (!window.accept(attempt)) return false;
    this.#runs.delete(run);
    this.#runs.set(run, window);
    if (this.#runs.size > RUNS) this.#runs.delete(this.#runs.keys().next().value as string);
    return true;
  }
}
