/**
 * The answering side of an exchange. An initiation costs a bounded amount of work and memory: paths that are not yet confirmed are few,
 * short-lived, and carry nothing.
 */
import { type Micros, NEVER } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Refusal } from "../exchange/exchange.ts";
import type { Path } from "../path/path.ts";
import { agreesWith, claimAddresses } from "./claimed-addresses.ts";
import type { PortalContext } from "./context.ts";
import type { Link } from "./link.ts";
import { createPath } from "./path-factory.ts";

const MAX_UNCONFIRMED = 32;
const CONFIRM_TIMEOUT: Micros = 5_000_000;
/** Answers per second, and how many may come at once. */
const ANSWER_RATE = 100;
const ANSWER_BURST = 50;
const FORMER_RUNS = 16;

interface Unconfirmed {
  readonly path: Path;
  readonly initiation: string;
  readonly response: Uint8Array;
  readonly expires: Micros;
}

export class Admission {
  readonly #context: PortalContext;
  #unconfirmed: Unconfirmed[] = [];
  #credit = ANSWER_BURST;
  #creditAt: Micros = 0;
  /** The run of the peer in use, and those it replaced: they do not come back. */
  #run = "";
  readonly #formerRuns: string[] = [];
  /** Runs in the order in which they first asked: a datagram of the older one may be the last to arrive. */
  readonly #answeredRuns: string[] = [];

  constructor(context: PortalContext) {
    this.#context = context;
  }

  /** Answers an initiation, or tells why not. */
  answer(
    now: Micros,
    link: Link,
    socket: number,
    isConnected: boolean,
    initiation: Uint8Array,
    remote: Endpoint,
    local: Endpoint,
  ): Refusal | "addresses" | "limited" | undefined {
    if (!this.#spend(now)) return "limited";
    const { exchange } = this.#context;
    const hello = exchange.read(initiation);
    if (typeof hello === "string") return hello;
    if (this.isFormer(hello.run.toHex())) return "unexpected";
    if (!agreesWith(link.settings.publicAddress, hello.addresses, remote)) return "addresses";
    const random = hello.random.toHex();
    const again = this.#unconfirmed.find((entry) => entry.initiation === random);
    if (again) {
      this.#send(socket, remote, local, again.response);
      return undefined;
    }
    return this.#open(now, link, socket, isConnected, initiation, random, hello.metric, hello.name, remote, local);
  }

  #open(
    now: Micros,
    link: Link,
    socket: number,
    isConnected: boolean,
    initiation: Uint8Array,
    random: string,
    metric: number,
    name: string,
    remote: Endpoint,
    local: Endpoint,
  ): Refusal | "limited" | undefined {
    const { exchange, paths } = this.#context;
    if (this.#unconfirmed.length >= MAX_UNCONFIRMED) this.#discard(this.#unconfirmed[0] as Unconfirmed);
    const index = paths.reserve();
    if (index === 0) return "limited";
    const { settings } = link;
    const answer = exchange.respond(initiation, {
      index,
      link: settings.id,
      metric: settings.metric ?? metric,
      name: settings.name,
      addresses: claimAddresses(settings.publicAddress, remote),
    });
    if (typeof answer === "string") {
      paths.cancel(index);
      return answer;
    }
    const { message: response, agreement } = answer;
    if (!this.#answeredRuns.includes(agreement.run)) this.#answeredRuns.push(agreement.run);
    if (this.#answeredRuns.length > FORMER_RUNS) this.#answeredRuns.shift();
    const path = createPath(this.#context, now, {
      link,
      agreement,
      index,
      socket,
      remote,
      local,
      state: "exchanging",
      isConnected,
      name,
      metric: settings.metric ?? metric,
    });
    paths.add(path);
    this.#unconfirmed.push({ path, initiation: random, response, expires: now + CONFIRM_TIMEOUT });
    this.#send(socket, remote, local, response);
    return undefined;
  }

  /** The path has carried an authentic datagram, or has ended: it is not held here any more. */
  confirmed(path: Path): void {
    this.#unconfirmed = this.#unconfirmed.filter((entry) => entry.path !== path);
  }

  /**
   * True if the peer has started anew since `run`: what still comes of it was only late.
   * Nobody is turned away while the run in use does not answer, so that a wrong guess never locks the peer out.
   */
  isFormer(run: string): boolean {
    if (!this.#context.paths.list.some((path) => path.isUp && path.settings.run === this.#run)) return false;
    if (this.#formerRuns.includes(run)) return true;
    const order = this.#answeredRuns.indexOf(run);
    return order >= 0 && order < this.#answeredRuns.indexOf(this.#run);
  }

  /** True if `run` is a new run of the peer. */
  noteRun(run: string): boolean {
    if (run === this.#run) return false;
    const at = this.#formerRuns.indexOf(run);
    if (at >= 0) this.#formerRuns.splice(at, 1);
    if (this.#run !== "") this.#formerRuns.push(this.#run);
    if (this.#formerRuns.length > FORMER_RUNS) this.#formerRuns.shift();
    this.#run = run;
    return true;
  }

  handleTimeout(now: Micros): void {
    for (const entry of this.#unconfirmed) if (now >= entry.expires) this.#discard(entry);
  }

  deadline(): Micros {
    return this.#unconfirmed[0]?.expires ?? NEVER;
  }

  #discard(entry: Unconfirmed): void {
    this.confirmed(entry.path);
    this.#context.paths.remove(entry.path);
  }

  #send(socket: number, remote: Endpoint, local: Endpoint, message: Uint8Array): void {
    this.#context.events.push({ type: "send", socket, remote: remote.slice(), local: local.slice(), message });
  }

  #spend(now: Micros): boolean {
    this.#credit = Math.min(ANSWER_BURST, this.#credit + ((now - this.#creditAt) * ANSWER_RATE) / 1_000_000);
    this.#creditAt = now;
    if (this.#credit < 1) return false;
    this.#credit--;
    return true;
  }
}
