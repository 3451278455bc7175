/** Request and answer over one simulated TCP connection, one after the other, with the time each took. */
import type { Micros } from "../../../src/clock.ts";
import type { Tcp } from "./tcp.ts";

export class PingPong {
  readonly rtts: Micros[] = [];
  /** Times at which answers came. */
  readonly times: Micros[] = [];
  readonly #client: Tcp;
  readonly #size: number;
  #sentAt: Micros = 0;
  #answered = 0;

  /**
   * Takes over what both ends do with data.
   * @param size bytes of a request and of an answer
   */
  constructor(client: Tcp, server: Tcp, size = 64) {
    this.#client = client;
    this.#size = size;
    client.onData = (now, bytes) => this.#handleAnswer(now, bytes);
    let requests = 0;
    server.onData = (now, bytes) => {
      const complete = Math.floor(bytes / size);
      if (complete > requests) server.write(now, (complete - requests) * size);
      requests = complete;
    };
  }

  /** Sends the first request; each answer sends the next. */
  start(now: Micros): void {
    this.#sentAt = now;
    this.#client.write(now, this.#size);
  }

  /** Longest time between two answers. */
  get longestGap(): Micros {
    return this.times.reduce((gap, time, i) => (i === 0 ? 0 : Math.max(gap, time - (this.times[i - 1] as number))), 0);
  }

  #handleAnswer(now: Micros, bytes: number): void {
    if (bytes < (this.#answered + 1) * this.#size) return;
    this.#answered++;
    this.rtts.push(now - this.#sentAt);
    this.times.push(now);
    this.start(now);
  }
}
