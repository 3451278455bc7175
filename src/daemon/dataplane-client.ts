/** The control plane's side of the conversation with the data plane's worker (`messages.ts`). */
import { MICROS_PER_MILLI } from "../clock.ts";
import type { DataplaneLink, FromDataplane, StartMessage, ToDataplane } from "../dataplane/messages.ts";
import type { Diagnosed, Query, Responder } from "../portal/query.ts";
import type { LinkCommand } from "../portal/settings.ts";
import type { TunnelSnapshot } from "../portal/snapshot.ts";
import type { Resolution } from "./resolve.ts";

/** The parts of a Worker that are used; tests bring their own. */
export interface DataplaneThread {
  postMessage(message: ToDataplane): void;
  terminate(): void;
  onmessage: ((event: { readonly data: FromDataplane }) => void) | null;
  onerror: ((event: { readonly message: string }) => void) | null;
  addEventListener(type: "close", listener: () => void): void;
}

export type Stopped = Extract<FromDataplane, { type: "stopped" }>;
type LogMessage = Extract<FromDataplane, { type: "log" }>;
export type ResponderWanted = Extract<FromDataplane, { type: "responder-wanted" }>;
type ResolveMessage = Extract<FromDataplane, { type: "resolve" }>;

export interface DataplaneHandlers {
  readonly log: (message: LogMessage) => void;
  readonly resolve: (message: ResolveMessage) => Promise<Resolution>;
  readonly responderWanted: (message: ResponderWanted) => void;
}

const ANSWER_TIMEOUT_MS = 3_000;

export class DataplaneClient {
  /** Resolves once the worker runs its links. */
  readonly ready: Promise<void>;
  /** Resolves once the worker has ended, for whatever reason. */
  readonly stopped: Promise<Stopped>;
  readonly #thread: DataplaneThread;
  readonly #wake: () => void;
  readonly #handlers: DataplaneHandlers;
  readonly #ready = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<Stopped>();
  readonly #snapshots = new Map<number, (snapshot: TunnelSnapshot) => void>();
  readonly #queries = new Map<number, (answer: Diagnosed) => void>();
  #requests = 0;

  /** @param wake gets the worker out of its poll */
  constructor(thread: DataplaneThread, wake: () => void, handlers: DataplaneHandlers) {
    this.#thread = thread;
    this.#wake = wake;
    this.#handlers = handlers;
    this.ready = this.#ready.promise;
    this.stopped = this.#stopped.promise;
    thread.onmessage = (event) => this.#handle(event.data);
    thread.onerror = (event) => this.#stopped.resolve({ type: "stopped", cause: "fault", reason: event.message });
    // This event follows every message of the thread, so it counts only if the thread sent none.
    thread.addEventListener("close", () => {
      this.#stopped.resolve({ type: "stopped", cause: "fault", reason: "its thread ended without a message" });
    });
  }

  start(message: StartMessage): void {
    this.#send(message);
  }

  addLink({ settings, transport }: DataplaneLink): void {
    this.#send({ type: "add-link", link: { settings, transport } });
  }

  removeLink(link: number): void {
    this.#send({ type: "remove-link", link });
  }

  changeLink(link: number, change: LinkCommand): void {
    this.#send({ type: "change-link", link, change });
  }

  /** @throws Error when the worker does not answer */
  snapshot(): Promise<TunnelSnapshot> {
    return this.#request(this.#snapshots, ANSWER_TIMEOUT_MS, (request) => ({ type: "snapshot", request }));
  }

  /** @throws Error when the worker does not answer within the time of the query and a little more */
  ask(query: Query): Promise<Diagnosed> {
    const timeout = ANSWER_TIMEOUT_MS + ("wait" in query ? query.wait / MICROS_PER_MILLI : 0);
    return this.#request(this.#queries, timeout, (request) => ({ type: "ask", request, query }));
  }

  /** Answers a `responder-wanted` message of the peer. */
  offerResponder(token: number, responder: Responder): void {
    this.#send({ type: "responder", token, responder });
  }

  async #request<T>(
    waiting: Map<number, (answer: T) => void>,
    timeout: number,
    message: (request: number) => ToDataplane,
  ): Promise<T> {
    const request = this.#requests++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => reject(new Error("the data plane does not answer")), timeout);
    waiting.set(request, resolve);
    this.#send(message(request));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(request);
    }
  }

  /** Asks the worker to end, then ends its thread, at the latest after `timeout` milliseconds. */
  async stop(timeout: number): Promise<Stopped> {
    this.#send({ type: "stop" });
    const reason = `it did not stop within ${timeout} ms`;
    const timer = setTimeout(() => this.#stopped.resolve({ type: "stopped", cause: "fault", reason }), timeout);
    const stopped = await this.stopped;
    clearTimeout(timer);
    this.#thread.terminate();
    return stopped;
  }

  #send(message: ToDataplane): void {
    this.#thread.postMessage(message);
    this.#wake();
  }

  #handle(message: FromDataplane): void {
    if (message.type === "ready") this.#ready.resolve();
    else if (message.type === "stopped") this.#stopped.resolve(message);
    else if (message.type === "log") this.#handlers.log(message);
    else if (message.type === "snapshot") this.#snapshots.get(message.request)?.(message.snapshot);
    else if (message.type === "diagnosed") this.#queries.get(message.request)?.(message);
    else if (message.type === "responder-wanted") this.#handlers.responderWanted(message);
    else void this.#resolve(message);
  }

  async #resolve(message: ResolveMessage): Promise<void> {
    const { link, attempt } = message;
    const resolution = await this.#handlers.resolve(message);
    if ("reason" in resolution) this.#send({ type: "unresolved", link, attempt, reason: resolution.reason });
    else this.#send({ type: "resolved", link, attempt, remote: resolution.remote, local: resolution.local });
  }
}
