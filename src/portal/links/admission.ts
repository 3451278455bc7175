/**
 * The answering side of an exchange. An initiation costs a bounded amount of work and memory: paths that are not yet confirmed are few,
 * short-lived, and carry nothing.
 */
import { type Micros, NEVER } from "../../clock.ts";
import type { Endpoint } from "../../endpoint.ts";
import { isRefused, type Question } from "../../exchange/exchange.ts";
import type { Path } from "../../path/path.ts";
import type { PortalContext } from "../context.ts";
import { AnswerLimits } from "./answer-limits.ts";
import { agreesWith, introduce } from "./introduction.ts";
import type { Link } from "./link.ts";
import type { PathFactory } from "./path-factory.ts";
import type { PeerRuns } from "./peer-runs.ts";
import type { Rejection } from "./refusals.ts";
import { initiationKey, SeenInitiations } from "./seen-initiations.ts";

/** At the rate of answers this gives each the time of a long round trip. */
const MAX_UNCONFIRMED = 96;
const CONFIRM_TIMEOUT: Micros = 5_000_000;

interface Unconfirmed {
  readonly path: Path;
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
  /** By key of the initiation, the oldest first. */
  readonly #unconfirmed = new Map<string, Unconfirmed>();
  readonly #seen = new SeenInitiations();
  readonly #limits = new AnswerLimits();
  readonly #runs: PeerRuns;

  constructor(context: PortalContext, factory: PathFactory, runs: PeerRuns) {
    this.#context = context;
    this.#factory = factory;
    this.#runs = runs;
  }

  /** Answers an initiation, or returns why not. The cheap checks come first: a lookup, a hash, another hash, and then a handshake. */
  answer(now: Micros, arrival: Arrival, initiation: Uint8Array): Rejection | undefined {
    const { exchange } = this.#context;
    const { socket, remote, local } = arrival;
    const key = initiationKey(initiation);
    const again = this.#unconfirmed.get(key);
    if (!again && this.#seen.has(key)) return { refusal: "replayed" };
    const fault = exchange.check(initiation);
    if (fault) return fault;
    const rejection = this.#admit(now, arrival, initiation);
    if (rejection) return rejection;
    if (again) {
      this.#send(socket, remote, local, again.response);
      return undefined;
    }
    const question = exchange.read(initiation);
    this.#seen.add(key, !isRefused(question));
    if (isRefused(question)) return question;
    const refused = this.#answerNew(now, arrival, key, question);
    question.wipe();
    return refused;
  }

  #answerNew(now: Micros, arrival: Arrival, key: string, question: Question): Rejection | undefined {
    const { run, attempt, addresses } = question.hello;
    if (!this.#runs.acceptAttempt(run.toHex(), attempt)) return { refusal: "replayed" };
    if (this.#runs.isFormer(run.toHex())) return { refusal: "unexpected" };
    if (!agreesWith(arrival.link.settings.publicAddress, addresses, arrival.remote)) return { refusal: "addresses" };
    return this.#open(now, arrival, key, question);
  }

  /** Decides whether an initiation is worth a handshake, and demands a cookie under load; a TCP connection proves its peer's address. */
  #admit(now: Micros, { isConnected, socket, remote, local }: Arrival, initiation: Uint8Array): Rejection | undefined {
    const { exchange } = this.#context;
    if (this.#limits.isIdle(now)) this.#limits.spend();
    else if (!isConnected && !exchange.showsCookie(now, initiation, remote)) {
      this.#send(socket, remote, local, exchange.askForCookie(now, initiation, remote));
      return { refusal: "limited" };
    } else if (!this.#limits.spendOf(now, remote)) return { refusal: "limited" };
    return undefined;
  }

  #open(now: Micros, arrival: Arrival, key: string, question: Question): Rejection | undefined {
    const { paths } = this.#context;
    const { link, socket, isConnected, remote, local } = arrival;
    const { hello } = question;
    const [oldest] = this.#unconfirmed.values();
    if (oldest && this.#unconfirmed.size >= MAX_UNCONFIRMED) this.#discard(oldest);
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
    this.#unconfirmed.set(key, { path, response, expires: now + CONFIRM_TIMEOUT });
    this.#send(socket, remote, local, response);
    return undefined;
  }

  /** Puts a path into use that has carried an authentic datagram, and trusts the network it came from. */
  confirmed(path: Path): void {
    this.forget(path);
    this.#limits.trust(path.remote);
  }

  /** Forgets a path that has ended. */
  forget(path: Path): void {
    for (const [key, entry] of this.#unconfirmed) if (entry.path === path) this.#unconfirmed.delete(key);
  }

  handleTimeout(now: Micros): void {
    for (const entry of this.#unconfirmed.values()) if (now >= entry.expires) this.#discard(entry);
  }

  deadline(): Micros {
    const [oldest] = this.#unconfirmed.values();
    return oldest?.expires ?? NEVER;
  }

  #discard(entry: Unconfirmed): void {
    this.forget(entry.path);
    this.#factory.remove(entry.path);
  }

  #send(socket: number, remote: Endpoint, local: Endpoint, message: Uint8Array): void {
    this.#context.events.push({ type: "send", socket, remote: remote.slice(), local: local.slice(), message });
  }
}
