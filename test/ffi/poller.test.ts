import { afterEach, describe, expect, test } from "bun:test";
import { POLL } from "../../ffi/layout.ts";
import { systemLibc } from "../../ffi/libc.ts";
import { monotonicMicros } from "../../ffi/monotonic-clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { drain, openPipe, type Pipe, wake } from "../../ffi/wake.ts";

const pipes: Pipe[] = [];

function pipe(): Pipe {
  const made = openPipe();
  pipes.push(made);
  return made;
}

afterEach(() => {
  for (const { readFd, writeFd } of pipes.splice(0)) {
    systemLibc().close(readFd);
    systemLibc().close(writeFd);
  }
});

function readyFds(poller: Poller): number[] {
  const fds: number[] = [];
  for (let at = poller.next(-1); at >= 0; at = poller.next(at)) fds.push(poller.fd(at));
  return fds;
}

describe("Poller", () => {
  test("comes back from a timeout with nothing ready, not before its microseconds are over", () => {
    const poller = new Poller();
    poller.add(pipe().readFd);
    const before = monotonicMicros();
    expect(poller.wait(1500.5)).toBe(0);
    expect(monotonicMicros() - before).toBeGreaterThanOrEqual(1500);
    expect(readyFds(poller)).toEqual([]);
  });

  test("tells which of many descriptors are ready, beyond its first capacity", () => {
    const poller = new Poller();
    const all = Array.from({ length: 70 }, pipe);
    for (const { readFd } of all) poller.add(readFd);
    const chosen = [all[3], all[41], all[69]] as Pipe[];
    for (const { writeFd } of chosen) wake(writeFd);
    expect(poller.wait(Number.POSITIVE_INFINITY)).toBe(3);
    expect(readyFds(poller)).toEqual(chosen.map(({ readFd }) => readFd));
  });

  test("forgets a descriptor and keeps the others", () => {
    const poller = new Poller();
    const [a, b, c] = [pipe(), pipe(), pipe()];
    for (const { readFd, writeFd } of [a, b, c]) {
      poller.add(readFd);
      wake(writeFd);
    }
    poller.remove(a.readFd);
    expect(poller.wait(0)).toBe(2);
    expect(readyFds(poller).sort()).toEqual([b.readFd, c.readFd].sort());
  });

  test("wakes for writing only while told to", () => {
    const poller = new Poller();
    const { writeFd } = pipe();
    poller.add(writeFd, 0);
    expect(poller.wait(0)).toBe(0);
    poller.setWritable(writeFd, true);
    expect(poller.wait(0)).toBe(1);
    expect(poller.events(poller.next(-1))).toBe(POLL.OUT);
    poller.setWritable(writeFd, false);
    expect(poller.wait(0)).toBe(0);
  });

  test("stops to look for input while told to", () => {
    const poller = new Poller();
    const { readFd, writeFd } = pipe();
    wake(writeFd);
    poller.add(readFd);
    poller.setReadable(readFd, false);
    expect(poller.wait(0)).toBe(0);
    poller.setReadable(readFd, true);
    expect(poller.wait(0)).toBe(1);
  });
});

describe("the wake-up pipe", () => {
  test("is emptied at once and does not block when full", () => {
    const { readFd, writeFd } = pipe();
    for (let i = 0; i < 70_000; i++) wake(writeFd);
    expect(drain(readFd)).toBe(65_536);
    expect(drain(readFd)).toBe(0);
  });

  test("wakes a thread that is blocked in its poll", async () => {
    const { readFd, writeFd } = pipe();
    const worker = new Worker(new URL("./wake-worker.ts", import.meta.url));
    const said = (): Promise<unknown> =>
      new Promise((resolve) => worker.addEventListener("message", (e) => resolve(e.data), { once: true }));
    const waiting = said();
    worker.postMessage(readFd);
    expect(await waiting).toBe("waiting");
    const woken = said();
    wake(writeFd);
    expect(await woken).toBe(1);
    worker.terminate();
  });
});

describe("monotonicMicros", () => {
  test("counts whole microseconds and never goes back", () => {
    let last = monotonicMicros();
    for (let i = 0; i < 10_000; i++) {
      const now = monotonicMicros();
      if (now < last || !Number.isInteger(now)) throw new Error(`${now} after ${last}`);
      last = now;
    }
  });
});
