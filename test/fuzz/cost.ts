/** Counts costs of this process, never time on a clock: other load on the machine does not matter. */
import { heapSize } from "bun:jsc";

/** Returns the processor time of this process so far, µs. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Returns the bytes that are still reachable. */
export function keptBytes(): number {
  // What dies in the first collection may have kept something alive until the second.
  Bun.gc(true);
  Bun.gc(true);
  return heapSize();
}
