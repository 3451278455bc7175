/**
 * The portal's paths by position and by receiver index. An index is the position in its low 8 bits and 16 random bits above,
 * so that a late datagram for a former path finds nothing.
 */
import { NEVER } from "../clock.ts";
import type { Path } from "../path/path.ts";
import type { RandomBytes } from "../random.ts";

export const MAX_PATHS = 256;

export class PathTable {
  readonly #paths: (Path | undefined)[] = new Array(MAX_PATHS).fill(undefined);
  readonly #indexes = new Uint32Array(MAX_PATHS);
  readonly #random: RandomBytes;
  /** The paths in use, in no order; a list kept for cheap iteration. */
  readonly list: Path[] = [];

  /** The lowest metric of the paths that are up, `NEVER` if none is; only paths with this one carry packets. */
  activeMetric = NEVER;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** Returns a receiver index for a path to come, or 0 if the table is full. */
  reserve(): number {
    const id = this.#indexes.indexOf(0);
    if (id < 0) return 0;
    const salt = new Uint8Array(2);
    this.#random(salt);
    const index = (Math.max(1, ((salt[0] as number) << 8) | (salt[1] as number)) << 8) | id;
    this.#indexes[id] = index;
    return index;
  }

  /** Frees an index that no path came for. */
  cancel(index: number): void {
    const id = index & 0xff;
    if (this.#indexes[id] === index && !this.#paths[id]) this.#indexes[id] = 0;
  }

  /** The path's index must have been reserved. */
  add(path: Path): void {
    this.#paths[path.id] = path;
    this.list.push(path);
  }

  remove(path: Path): void {
    if (this.#paths[path.id] !== path) return;
    this.#paths[path.id] = undefined;
    this.#indexes[path.id] = 0;
    const at = this.list.indexOf(path);
    this.list[at] = this.list[this.list.length - 1] as Path;
    this.list.pop();
  }

  /** Finds `activeMetric` anew; to be called when a path's state or metric has changed. */
  updateActiveMetric(): void {
    let lowest = NEVER;
    for (const path of this.list) if (path.isUp) lowest = Math.min(lowest, path.metric);
    this.activeMetric = lowest;
  }

  /** Returns the path with a receiver index, as a datagram names it. */
  find(index: number): Path | undefined {
    const id = index & 0xff;
    return this.#indexes[id] === index ? this.#paths[id] : undefined;
  }
}
