/**
 * One configured link and its attempts to get a path, the dissertation's figure 3.3: while it is restartable and not alive, it is restarted.
 *
 *     waiting ─(retry wait)─▶ resolving ─▶ exchanging ─▶ up        an initiating link
 *        ▲──────────┴──failed──────┴───────────┴─path lost
 *     waiting ─▶ resolving ─▶ listening                             a listening link: its paths are ephemeral
 */
import { type Micros, NEVER } from "../../clock.ts";
import { createEndpoint, type Endpoint } from "../../endpoint.ts";
import type { Initiation } from "../../exchange/exchange.ts";
import type { RandomBytes } from "../../random.ts";
import type { LinkSettings } from "../settings.ts";
import type { LinkState } from "../snapshot.ts";

/** Waits before an initiation is sent again; after the last the attempt has failed. */
const RESEND_WAITS: readonly Micros[] = [250_000, 500_000, 1_000_000, 1_000_000];
/** Longest time for looking up addresses and opening a socket. */
const OPEN_TIMEOUT: Micros = 5_000_000;
/** Longest wait between attempts, unless a longer one is configured: a link that returns is in use within seconds. */
const LONGEST_WAIT: Micros = 2_000_000;

export class Link {
  settings: LinkSettings;
  state: LinkState = "waiting";
  reason = "starting";
  since: Micros;
  failures = 0;
  /** Successful attempts since the start. */
  ups = 0;
  /** Number of the present attempt; an answer to an older one is ignored. */
  attempt = 0;
  /** The socket of the present attempt or of the listener, -1 for none. */
  socket = -1;
  readonly remote: Endpoint = createEndpoint();
  readonly local: Endpoint = createEndpoint();
  initiation: Initiation | undefined;
  /** The last refused exchange or connection, with the reason as text for a person. */
  refused: { readonly refusal: string; readonly text: string; readonly at: Micros } | undefined;
  /** Receiver index in the initiation under way, 0 for none. */
  index = 0;
  /** The metric in the newest initiation. */
  announcedMetric = 0;
  /** Time at which the state machine next acts, `NEVER` if it waits for an event. */
  deadline: Micros;
  /** True after a person took the link down, until a person takes it up. */
  isHeld = false;
  #resends = 0;
  readonly #configuredMetric: number | undefined;
  readonly #random: RandomBytes;

  constructor(now: Micros, settings: LinkSettings, random: RandomBytes) {
    this.settings = settings;
    this.#configuredMetric = settings.metric;
    this.since = now;
    this.deadline = now;
    this.#random = random;
  }

  get isInitiator(): boolean {
    return this.settings.role === "initiate";
  }

  /** True while an attempt is under way. */
  get isTrying(): boolean {
    return this.state === "resolving" || this.state === "exchanging";
  }

  /** Settings that a person changed while the link runs, as text; empty if none are. */
  get byHand(): string {
    const { metric } = this.settings;
    const isChanged = metric !== this.#configuredMetric;
    const metricText = `metric ${metric} (configured: ${this.#configuredMetric ?? "the peer's"})`;
    return [...(this.isHeld ? ["down"] : []), ...(isChanged ? [metricText] : [])].join(", ");
  }

  /** @param metric "default" for the configured one */
  setMetric(metric: number | "default"): void {
    this.settings = { ...this.settings, metric: metric === "default" ? this.#configuredMetric : metric };
  }

  /** Begins an attempt with looking up the addresses again. */
  begin(now: Micros): void {
    this.attempt++;
    this.#change(now, "resolving", "looking up addresses");
    this.deadline = now + OPEN_TIMEOUT;
  }

  /** Goes on with the open socket: an initiating link exchanges, a listening one listens. */
  opened(now: Micros, socket: number, remote: Endpoint, local: Endpoint): void {
    this.socket = socket;
    this.remote.set(remote);
    this.local.set(local);
    if (!this.isInitiator) {
      this.failures = 0;
      this.#change(now, "listening", "waiting for the peer");
      this.deadline = NEVER;
      return;
    }
    this.#change(now, "exchanging", "initiation sent");
    this.#resends = 0;
    this.deadline = now;
  }

  /** Begins an exchange over the socket of a path in use, to announce a change to the peer. */
  reintroduce(now: Micros, socket: number, remote: Endpoint, local: Endpoint): void {
    this.attempt++;
    this.opened(now, socket, remote, local);
  }

  /** True if the initiation is to be sent now; false if the attempt has failed. */
  takeResend(now: Micros): boolean {
    const wait = RESEND_WAITS[this.#resends++];
    if (wait === undefined) return false;
    this.deadline = now + wait;
    return true;
  }

  succeeded(now: Micros): void {
    this.refused = undefined;
    this.failures = 0;
    this.ups++;
    this.#endInitiation();
    this.#change(now, "up", "exchange done");
    // A metric changed during the exchange is announced now.
    this.deadline = now;
  }

  /** Waits after a failed attempt or a lost path, longer each time, with jitter so that peers do not synchronise. */
  failed(now: Micros, reason: string): void {
    const { retryWait } = this.settings;
    const wait = Math.min(retryWait * 2 ** Math.min(this.failures, 5), Math.max(LONGEST_WAIT, retryWait));
    this.failures++;
    this.#wait(now, wait * (0.75 + this.#jitter() / 2), reason);
  }

  /** Plans the next attempt for now. */
  retryNow(now: Micros, reason: string): void {
    this.#wait(now, 0, reason);
  }

  stopped(now: Micros, reason: string): void {
    this.#endInitiation();
    this.#change(now, "stopped", reason);
    this.deadline = NEVER;
  }

  /** Drops the attempt that was made beside a suspect path, which answers again. */
  resumed(now: Micros): void {
    this.attempt++;
    this.succeeded(now);
    this.ups--;
  }

  /** Returns the time until the next attempt, 0 if none is planned. */
  retryIn(now: Micros): Micros {
    return this.state === "waiting" && this.deadline !== NEVER ? Math.max(0, this.deadline - now) : 0;
  }

  #wait(now: Micros, wait: Micros, reason: string): void {
    this.#endInitiation();
    this.#change(now, "waiting", reason);
    this.deadline = now + wait;
  }

  #endInitiation(): void {
    this.initiation?.wipe();
    this.initiation = undefined;
  }

  #jitter(): number {
    const byte = new Uint8Array(1);
    this.#random(byte);
    return (byte[0] as number) / 256;
  }

  #change(now: Micros, state: LinkState, reason: string): void {
    if (state !== this.state) this.since = now;
    this.state = state;
    this.reason = reason;
  }
}
