/**
 * The peer's runs (each start of it is one): which is in use, which came before, and which initiations of each have been read. So a
 * replayed initiation is recognised without a clock. Of runs long gone nothing is remembered; a replay of one opens a path that is never
 * confirmed.
 */
import { ReplayWindow } from "../../security/replay-window.ts";

/** Initiations of a run that may overtake each other, as a peer has many links. */
const ATTEMPT_WINDOW = 256;
/** Runs whose initiations are remembered. */
const SEEN_RUNS = 64;
/** Runs whose order is remembered. */
const FORMER_RUNS = 16;

export class PeerRuns {
  /** True while a path of this run is up. */
  readonly #isUp: (run: string) => boolean;
  #current = "";
  readonly #former: string[] = [];
  /** Runs in the order of their first initiation: the older one's first datagram may be the last to arrive. */
  readonly #answered: string[] = [];
  readonly #attempts = new Map<string, ReplayWindow>();

  constructor(isUp: (run: string) => boolean) {
    this.#isUp = isUp;
  }

  /** Notes an initiation; returns false if it was read before. */
  acceptAttempt(run: string, attempt: number): boolean {
    const window = this.#attempts.get(run) ?? new ReplayWindow(ATTEMPT_WINDOW);
    if (!window.accept(attempt)) return false;
    this.#attempts.delete(run);
    this.#attempts.set(run, window);
    if (this.#attempts.size > SEEN_RUNS) this.#attempts.delete(this.#attempts.keys().next().value as string);
    return true;
  }

  /** Notes that an initiation of `run` was answered. */
  noteAnswered(run: string): void {
    if (!this.#answered.includes(run)) this.#answered.push(run);
    if (this.#answered.length > FORMER_RUNS) this.#answered.shift();
  }

  /**
   * True if the peer has started anew since `run`, whose messages are only late then. No run is former while the one in use does not
   * answer, so that a wrong guess never locks the peer out.
   */
  isFormer(run: string): boolean {
    if (!this.#isUp(this.#current)) return false;
    if (this.#former.includes(run)) return true;
    const order = this.#answered.indexOf(run);
    return order >= 0 && order < this.#answered.indexOf(this.#current);
  }

  /** Makes `run` the one in use; returns true if it was another before. */
  use(run: string): boolean {
    if (run === this.#current) return false;
    const at = this.#former.indexOf(run);
    if (at >= 0) this.#former.splice(at, 1);
    if (this.#current !== "") this.#former.push(this.#current);
    if (this.#former.length > FORMER_RUNS) this.#former.shift();
    this.#current = run;
    return true;
  }
}
