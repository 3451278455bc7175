/**
 * Numbers ordered by time: a binary heap in typed arrays. What is due at the same time comes out in the order it went in,
 * so a simulation does not depend on the heap's shape.
 */
import { type Micros, NEVER } from "../../src/clock.ts";

export class TimerQueue {
  #times = new Float64Array(64);
  #orders = new Float64Array(64);
  #items = new Float64Array(64);
  #count = 0;
  #order = 0;

  get length(): number {
    return this.#count;
  }

  /** When the first item is due; `NEVER` when there is none. */
  get time(): Micros {
    return this.#count === 0 ? NEVER : (this.#times[0] as number);
  }

  /** The first item, -1 when there is none. */
  get first(): number {
    return this.#count === 0 ? -1 : (this.#items[0] as number);
  }

  /** @param item any number that a double holds exactly */
  push(time: Micros, item: number): void {
    if (this.#count === this.#times.length) this.#grow();
    const order = this.#order++;
    let i = this.#count++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((this.#times[parent] as number) <= time) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#put(i, time, order, item);
  }

  /** Removes the first item and returns it; -1 when there is none. */
  shift(): number {
    if (this.#count === 0) return -1;
    const item = this.#items[0] as number;
    const last = --this.#count;
    if (last > 0) this.#sink(this.#times[last] as number, this.#orders[last] as number, this.#items[last] as number);
    return item;
  }

  /** Finds a place, from the top down, for what was last. */
  #sink(time: Micros, order: number, item: number): void {
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isBefore(child + 1, child)) child++;
      const childTime = this.#times[child] as number;
      if (time < childTime || (time === childTime && order < (this.#orders[child] as number))) break;
      this.#move(child, i);
      i = child;
    }
    this.#put(i, time, order, item);
  }

  #isBefore(a: number, b: number): boolean {
    const x = this.#times[a] as number;
    const y = this.#times[b] as number;
    return x < y || (x === y && (this.#orders[a] as number) < (this.#orders[b] as number));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] as number, this.#orders[from] as number, this.#items[from] as number);
  }

  #put(at: number, time: Micros, order: number, item: number): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#items[at] = item;
  }

  #grow(): void {
    const wider = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const out = new Float64Array(2 * old.length);
      out.set(old);
      return out;
    };
    this.#times = wider(this.#times);
    this.#orders = wider(this.#orders);
    this.#items = wider(this.#items);
  }
}
