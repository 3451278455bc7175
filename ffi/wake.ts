/**
 * A pipe that wakes a thread out of its poll. The waiting thread polls `readFd` and calls `drain`; any other thread of
 * the process calls `wake` with the number of the write end. A full pipe means a wake-up is under way already.
 */
import { systemError } from "./errno.ts";
import { type Layout, layout as thisSystem } from "./layout.ts";
import { type Libc, pointerTo, systemLibc } from "./libc.ts";

export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/** Opens a pipe, both ends non-blocking and closed on exec. @throws NetcombinerError when descriptors have run out */
export function openPipe(libc: Libc = systemLibc(), layout: Layout = thisSystem): Pipe {
  const ends = new Int32Array(new ArrayBuffer(8));
  if (libc.pipe2(pointerTo(ends), layout.O_NONBLOCK | layout.O_CLOEXEC) < 0) {
    throw systemError("cannot open a pipe", libc.errno());
  }
  return { readFd: ends[0] as number, writeFd: ends[1] as number };
}

/** Closes one end. */
export function closePipeEnd(fd: number, libc: Libc = systemLibc()): void {
  libc.close(fd);
}

const scratch = new Uint8Array(new ArrayBuffer(4096));
const scratchAddress = pointerTo(scratch);

/** Makes the read end readable. */
export function wake(writeFd: number, libc: Libc = systemLibc()): void {
  libc.write(writeFd, scratchAddress, 1);
}

/** Takes out all wake-ups. @returns how many there were */
export function drain(readFd: number, libc: Libc = systemLibc()): number {
  let total = 0;
  for (;;) {
    const n = libc.read(readFd, scratchAddress, scratch.length);
    if (n <= 0) return total;
    total += n;
    if (n < scratch.length) return total;
  }
}
