/**
 * The answering side of an exchange. An initiation costs a bounded amount of work and memory: paths that are not yet confirmed are few,
 * short-lived, and carry nothing.
 */
import { type Micros, NEVER } from "../../clock.ts";
import type { Endpoint } from "../../endpoint.ts";
import { isRefused, type Question } from "../../exchange/exchange.ts";
import type { Path } from "../../path/path.ts";
import { MAC_SIZE } from "../../wire/exchange.ts";
import type { PortalContext } from "../context.ts";
import { AnswerLimits } from "./answer-limits.ts";
import { agreesWith, introduce } from "./introduction.ts";
import type { Link } from "./link.ts";
import type { PathFactory } from "./path-factory.ts";
import type { PeerRuns } from "./peer-runs.ts";
import type { Rejection } from "./refusals.ts";

/** At the rate of answers this gives each the time of a long round trip. */
const MAX_UNCONFIRMED = 96;
const CONFIRM_TIMEOUT: Micros = 5_000_000;

interface Unconfirmed {
  readonly path: Path;
  readonly initiation: Uint8Array;
  readonly response: Uint8Array;
  readonly expires: Micros;
}

/** An initiation's link, socket and addresses. */
export interface Arrival {
  readonly link: Link;
  readonly socket: number;
  readonly isConnected: boolean;
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

export class Admission {
  readonly #context: PortalContext;
  readonly #factory: PathFactory;
  #unconfirmed: Unconfirmed[] = [];
  readonly #limits = new AnswerLimits();
  readonly #runs: PeerRuns;

  constructor(context: PortalContext, factory: PathFactory, runs: PeerRuns) {
    this.#context = context;
    this.#factory = factory;
    this.#runs = runs;
  }

  /** Answers an initiation, or tells why not. The cheap questions come first. */
  answer(now: Micros, arrival: Arrival, initiation: Uint8Array): Rejection | undefined {
    const { exchange } = this.#context;
    const { socket, remote, local } = arrival;
    const fault = exchange.check(initiation);
    if (fault) return fault;
    const again = this.#unconfirmed.find((entry) => isSameQuestion(entry.initiation, initiation));
    if (!this.#mayAnswer(now, arrival, initiation)) return this.#demandCookie(now, arrival, initiation);
    if (again) {
      this.#send(socket, remote, local, again.response);
      return undefined;
    }
    const question = exchange.read(initiation);
    if (isRefused(question)) return question;
    const rejection = this.#answerNew(now, arrival, initiation, question);
    question.wipe();
    return rejection;
  }

  #answerNew(now: Micros, arrival: Arrival, initiation: Uint8Array, question: Question): Rejection | undefined {
    const { run, attempt, addresses } = question.hello;
    if (!this.#runs.acceptAttempt(run.toHex(), attempt)) return { refusal: "replayed" };
    if (this.#runs.isFormer(run.toHex())) return { refusal: "unexpected" };
    if (!agreesWith(arrival.link.settings.publicAddress, addresses, arrival.remote)) return { refusal: "addresses" };
    return this.#open(now, arrival, initiation, question);
  }

  /** Returns true if the initiation may be answered now. A TCP connection proves that its peer receives at its address. */
  #mayAnswer(now: Micros, { isConnected, remote }: Arrival, initiation: Uint8Array): boolean {
    const limits = this.#limits;
    if (limits.isIdle(now)) return limits.spend(now);
    if (!isConnected && !this.#context.exchange.showsCookie(now, initiation, remote)) return false;
    return limits.spendFor(now, remote) && limits.spend(now);
  }

  #demandCookie(now: Micros, { socket, remote, local }: Arrival, initiation: Uint8Array): Rejection {
    if (this.#limits.spendCookie(now)) {
      this.#send(socket, remote, local, this.#context.exchange.askForCookie(now, initiation, remote));
    }
    return { refusal: "limited" };
  }

  #open(now: Micros, arrival: Arrival, initiation: Uint8Array, question: Question): Rejection | undefined {
    const { paths } = this.#context;
    const { link, socket, isConnected, remote, local } = arrival;
    const { hello } = question;
    if (this.#unconfirmed.length >= MAX_UNCONFIRMED) this.#discard(this.#unconfirmed[0] as Unconfirmed);
    const index = paths.reserve();
    if (index === 0) return { refusal: "limited" };
    const { settings } = link;
    const metric = settings.metric ?? hello.metric;
    const { message: response, agreement } = question.respond(introduce(settings, index, metric, remote));
    if (isRefused(agreement)) {
      paths.cancel(index);
      // The peer has proven who it is: it is told that there is no common suite.
      if (agreement.refusal === "security") this.#send(socket, remote, local, response);
      return agreement;
    }
    this.#runs.noteAnswered(agreement.run);
    const { name } = hello;
    const facts = { link, agreement, index, socket, remote, local, isConnected, name, metric };
    const path = this.#factory.create(now, { ...facts, state: "exchanging" });
    this.#unconfirmed.push({ path, initiation, response, expires: now + CONFIRM_TIMEOUT });
    this.#send(socket, remote, local, response);
    return undefined;
  }

  /** Forgets a path that has carried an authentic datagram or has ended. */
  confirmed(path: Path): void {
    this.#unconfirmed = this.#unconfirmed.filter((entry) => entry.path !== path);
  }

  handleTimeout(now: Micros): void {
    for (const entry of this.#unconfirmed) if (now >= entry.expires) this.#discard(entry);
  }

  deadline(): Micros {
    return this.#unconfirmed[0]?.expires ?? NEVER;
  }

  #discard(entry: Unconfirmed): void {
    this.confirmed(entry.path);
    this.#factory.remove(entry.path);
  }

  #send(socket: number, remote: Endpoint, local: Endpoint, message: Uint8Array): void {
    this.#context.events.push({ type: "send", socket, remote: remote.slice(), local: local.slice(), message });
  }
}

/** True if the initiations differ in nothing but the cookie. */
function isSameQuestion(a: Uint8Array, b: Uint8Array): boolean {
  const end = a.length - MAC_SIZE;
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
