/**
 * Changes the keys of paths before they expire. The initiator of a path requests new keys by messages sealed on it; the other end answers.
 * A path whose keys have expired without a rekey ends, and its link starts a new exchange.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../../clock.ts";
import type { Rekey, Session } from "../../exchange/exchange.ts";
import type { Path } from "../../path/path.ts";
import { TokenBucket } from "../../token-bucket.ts";
import { KEY_LIMITS, type KeyLimits } from "../settings.ts";

const RESEND_WAITS: readonly Micros[] = [250_000, 500_000];
const RESEND_WAIT: Micros = MICROS_PER_SECOND;

/** Handshakes that bogus messages of the peer may cost on one path, per second and at once; genuine ones are not counted. */
const BOGUS = { rate: 1, burst: 2 } as const;

/** Tries a message that costs a handshake; returns undefined if it is bogus, or too many were. */
function tryHandshake<T>(now: Micros, { bogus }: State, handshake: () => T | undefined): T | undefined {
  if (bogus.fill(now, BOGUS.rate, BOGUS.burst) < 1) return undefined;
  const result = handshake();
  if (result === undefined) bogus.spend(1);
  return result;
}

/** Returns how many datagrams the present keys of `path` have sealed or opened, whichever is more. */
function datagramsOf({ keys, sent, received }: Path): number {
  return Math.max(sent.next - keys.sentFrom, received.largest + 1 - keys.receivedFrom);
}

interface State {
  readonly session: Session;
  /** The request under way; undefined for none. */
  rekey: Rekey | undefined;
  resends: number;
  resendAt: Micros;
  /** The last answer, kept for the case that it is lost. */
  answer: Uint8Array | undefined;
  answered: number;
  /** Bogus messages that may still cost a handshake. */
  readonly bogus: TokenBucket;
}

export class Rekeying {
  readonly #limits: KeyLimits;
  readonly #states = new Map<Path, State>();

  constructor(limits: KeyLimits = KEY_LIMITS) {
    this.#limits = limits;
  }

  add(path: Path, session: Session): void {
    if (!session.isRenewable) return;
    const idle = { rekey: undefined, resends: 0, resendAt: NEVER, answer: undefined, answered: 0 };
    this.#states.set(path, { session, ...idle, bogus: new TokenBucket(BOGUS.burst) });
  }

  remove(path: Path): void {
    this.#states.get(path)?.rekey?.wipe();
    this.#states.delete(path);
  }

  /** Lets time pass; returns true if the keys of `path` have expired. */
  handleTimeout(now: Micros, path: Path): boolean {
    const state = this.#states.get(path);
    if (!state) return false;
    const { keys } = path;
    keys.advance(now);
    const age = now - keys.since;
    const used = datagramsOf(path);
    if (age >= this.#limits.endAfter || used >= this.#limits.endAfterDatagrams) return true;
    if (!path.settings.isInitiator || path.state === "exchanging") return false;
    const isDue = age >= this.#limits.rekeyAfter || used >= this.#limits.rekeyAfterDatagrams;
    if (isDue && !state.rekey) this.#ask(path, state);
    if (state.rekey && now >= state.resendAt) {
      path.rekey = { isAnswer: false, epoch: keys.epoch + 1, message: state.rekey.message };
      state.resendAt = now + (RESEND_WAITS[state.resends++] ?? RESEND_WAIT);
    }
    return false;
  }

  /** Handles a REKEY message of an authentic datagram; returns false if it is invalid. */
  handleMessage(now: Micros, path: Path, isAnswer: boolean, epoch: number, message: Uint8Array): boolean {
    const state = this.#states.get(path);
    if (!state) return false;
    return isAnswer ? this.#complete(now, path, state, epoch, message) : this.#answer(now, path, state, epoch, message);
  }

  deadline(path: Path): Micros {
    const state = this.#states.get(path);
    if (!state) return NEVER;
    const { rekeyAfter, endAfter, rekeyAfterDatagrams, endAfterDatagrams } = this.#limits;
    const { since } = path.keys;
    const used = datagramsOf(path);
    const end = used >= endAfterDatagrams ? 0 : Math.min(since + endAfter, path.keys.deadline());
    if (!path.settings.isInitiator || path.state === "exchanging") return end;
    if (state.rekey) return Math.min(state.resendAt, end);
    return used >= rekeyAfterDatagrams ? 0 : Math.min(since + rekeyAfter, end);
  }

  #ask(path: Path, state: State): void {
    state.rekey = state.session.renew(path.keys.epoch + 1);
    state.resends = 0;
    state.resendAt = 0;
  }

  /** Completes the initiator's rekey: it seals with the new keys, and a probe makes sure that a datagram does. */
  #complete(now: Micros, path: Path, state: State, epoch: number, message: Uint8Array): boolean {
    const { keys } = path;
    // The answer was sent twice, and the rekey is complete.
    if (epoch === keys.epoch) return true;
    if (!state.rekey || epoch !== keys.epoch + 1) return false;
    const { rekey } = state;
    const security = tryHandshake(now, state, () => rekey.complete(message));
    if (!security) return false;
    state.rekey.wipe();
    state.rekey = undefined;
    path.rekey = undefined;
    keys.use(now, security, path.sent.next, path.received.largest + 1);
    path.isProbeWanted = true;
    return true;
  }

  /** Answers a request; one that comes again gets the same answer, so that its keys stay valid. */
  #answer(now: Micros, path: Path, state: State, epoch: number, message: Uint8Array): boolean {
    const { keys } = path;
    if (path.settings.isInitiator) return false;
    if (epoch <= keys.epoch) return true;
    if (epoch !== keys.epoch + 1) return false;
    if (!state.answer || state.answered !== epoch) {
      const answer = tryHandshake(now, state, () => state.session.answer(epoch, message));
      if (!answer) return false;
      keys.expect(answer.security);
      state.answer = answer.message;
      state.answered = epoch;
    }
    path.rekey = { isAnswer: true, epoch, message: state.answer };
    return true;
  }
}
