/**
 * Answers a person's questions about the tunnel: round-trip times by each path and by the best one, the
 * address at which the peer sees this end, a place for a speed test, and the use of one path alone. Its messages pass the queues.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../../clock.ts";
import { type Endpoint, familyOf, formatAddress, formatEndpoint } from "../../endpoint.ts";
import type { Path } from "../../path/path.ts";
import {
  DIAGNOSIS,
  type DiagnosisMessage,
  decodeDiagnosis,
  diagnosisSize,
  encodeDiagnosis,
} from "../../wire/diagnosis-messages.ts";
import type { PortalContext } from "../context.ts";
import { sendDirectly } from "../direct-send.ts";
import type { Echo, Query, Responder } from "../query.ts";

/** Longest time for which the peer may ask for one path alone, seconds. */
const ALONE_MAX = 60;

/** Penalty above every metric that can be configured. */
const ABOVE_ALL = 65_536;

/** A question of a person that waits for echoes or for a responder. */
interface PendingQuery {
  readonly request: number;
  readonly deadline: Micros;
  readonly echoes: PendingEcho[];
  /** The token of the question for a responder; undefined for echoes. */
  readonly opensToken: number | undefined;
}

interface PendingEcho {
  readonly token: number;
  readonly sentAt: Micros;
  echo: Echo;
}

export class Diagnosis {
  readonly #context: PortalContext;
  /** Returns the path that a single packet would take now. */
  readonly #best: () => Path | undefined;
  #pending: PendingQuery[] = [];
  #token = 0;
  #aloneUntil: Micros = NEVER;

  constructor(context: PortalContext, best: () => Path | undefined) {
    this.#context = context;
    this.#best = best;
  }

  /** Asks the peer; the answer is a `diagnosed` event. */
  ask(now: Micros, request: number, query: Query): void {
    if (query.kind === "ping") this.#ping(now, request, query.wait);
    else if (query.kind === "responder") this.#openResponder(now, request, query.wait, query.secret, query.seconds);
    else this.#beAlone(now, request, query.link, query.seconds);
  }

  /** Sends the peer the place of its speed test. */
  handleResponder(now: Micros, token: number, { port, addresses }: Responder): void {
    for (const path of this.#up())
      this.#send(now, path, { kind: DIAGNOSIS.READY, token, port, addresses: [...addresses] });
  }

  /** Handles a message of the peer at `at`; returns its size, or -1 if it is malformed. */
  handleMessage(now: Micros, path: Path, at: number, end: number): number {
    const { pool } = this.#context;
    const size = diagnosisSize(pool.view, at, end);
    if (size < 0) return size;
    const message = decodeDiagnosis(pool.bytes.subarray(at, at + size));
    if (message) this.#handle(now, path, message);
    return size;
  }

  handleTimeout(now: Micros): void {
    if (now >= this.#aloneUntil) this.#setAlone(now, undefined, 0);
    for (const query of this.#pending) if (now >= query.deadline) this.#finish(query);
  }

  deadline(): Micros {
    let at = this.#aloneUntil;
    for (const query of this.#pending) at = Math.min(at, query.deadline);
    return at;
  }

  #handle(now: Micros, path: Path, message: DiagnosisMessage): void {
    const { events } = this.#context;
    const { token } = message;
    if (message.kind === DIAGNOSIS.ECHO) this.#send(now, path, { kind: DIAGNOSIS.REPLY, token, seen: path.remote });
    else if (message.kind === DIAGNOSIS.BEST) {
      this.#send(now, this.#best() ?? path, { kind: DIAGNOSIS.REPLY, token, seen: new Uint8Array(path.remote.length) });
    } else if (message.kind === DIAGNOSIS.REPLY) this.#noteReply(now, token, message.seen);
    else if (message.kind === DIAGNOSIS.OPEN) {
      events.push({ type: "responder-wanted", token, secret: message.secret, seconds: message.seconds });
    } else if (message.kind === DIAGNOSIS.READY) this.#noteReady(token, message.port, message.addresses);
    else if (message.kind === DIAGNOSIS.ALONE)
      this.#setAlone(now, message.seconds > 0 ? path : undefined, Math.min(message.seconds, ALONE_MAX));
  }

  #ping(now: Micros, request: number, wait: Micros): void {
    const paths = this.#context.paths.list.filter((path) => path.state === "up" || path.state === "suspect");
    const echoes = paths.map((path) => this.#echo(now, path, DIAGNOSIS.ECHO));
    const best = this.#best();
    if (best) echoes.push(this.#echo(now, best, DIAGNOSIS.BEST));
    this.#pending.push({ request, deadline: paths.length > 0 ? now + wait : now, echoes, opensToken: undefined });
  }

  #echo(now: Micros, path: Path, kind: typeof DIAGNOSIS.ECHO | typeof DIAGNOSIS.BEST): PendingEcho {
    const token = this.#nextToken();
    this.#send(now, path, { kind, token });
    const { link, settings } = path;
    const isBest = kind === DIAGNOSIS.BEST;
    const echo = { link, path: settings.name, remote: formatEndpoint(path.remote), isBest, rtt: undefined, seen: "" };
    return { token, sentAt: now, echo };
  }

  #noteReply(now: Micros, token: number, seen: Endpoint): void {
    for (const query of this.#pending) {
      const waiting = query.echoes.find((candidate) => candidate.token === token);
      if (!waiting || waiting.echo.rtt !== undefined) continue;
      const text = familyOf(seen) === 0 ? "" : formatEndpoint(seen);
      waiting.echo = { ...waiting.echo, rtt: now - waiting.sentAt, seen: text };
      if (query.echoes.every(({ echo }) => echo.rtt !== undefined)) this.#finish(query);
      return;
    }
  }

  #openResponder(now: Micros, request: number, wait: Micros, secret: Uint8Array, seconds: number): void {
    const token = this.#nextToken();
    // Sent by every path, as any may lose it; the peer recognises the token.
    for (const path of this.#up()) this.#send(now, path, { kind: DIAGNOSIS.OPEN, token, secret, seconds });
    this.#pending.push({ request, deadline: now + wait, echoes: [], opensToken: token });
  }

  #noteReady(token: number, port: number, addresses: readonly Endpoint[]): void {
    const query = this.#pending.find((candidate) => candidate.opensToken === token);
    if (query) this.#finish(query, { port, addresses: addresses.map(formatAddress) });
  }

  #beAlone(now: Micros, request: number, link: number | undefined, seconds: number): void {
    const path = this.#up().find((candidate) => candidate.link === link);
    const token = this.#nextToken();
    for (const other of link === undefined ? this.#up() : path ? [path] : []) {
      this.#send(now, other, { kind: DIAGNOSIS.ALONE, token, seconds: link === undefined ? 0 : seconds });
    }
    if (link === undefined || path) this.#setAlone(now, path, seconds);
    this.#context.events.push({ type: "diagnosed", request, echoes: [], responder: undefined });
  }

  /** Sets the other paths aside: they carry packets only while this one is not up. */
  #setAlone(now: Micros, path: Path | undefined, seconds: number): void {
    for (const other of this.#context.paths.list) {
      other.metricPenalty = path !== undefined && other !== path ? ABOVE_ALL : 0;
    }
    this.#aloneUntil = path ? now + seconds * MICROS_PER_SECOND : NEVER;
    this.#context.paths.updateActiveMetric();
  }

  #finish(query: PendingQuery, responder?: { readonly port: number; readonly addresses: readonly string[] }): void {
    this.#pending = this.#pending.filter((other) => other !== query);
    const echoes = query.echoes.map(({ echo }) => echo);
    this.#context.events.push({ type: "diagnosed", request: query.request, echoes, responder });
  }

  #up(): Path[] {
    return this.#context.paths.list.filter((path) => path.isUp);
  }

  #nextToken(): number {
    this.#token = (this.#token + 1) >>> 0;
    return this.#token;
  }

  #send(now: Micros, path: Path, content: DiagnosisMessage): void {
    sendDirectly(this.#context, now, path, ({ bytes }, at) => {
      const message = encodeDiagnosis(content);
      bytes.set(message, at);
      return at + message.length;
    });
  }
}
