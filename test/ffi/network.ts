/** What the socket tests share: slots filled and read, bounded waits on real descriptors, and namespaces of their own. */
import { dlopen } from "bun:ffi";
import { pointerTo, systemLibc } from "../../ffi/libc.ts";
import { createEndpoint, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import type { PacketPool, Slot } from "../../src/memory/packet-pool.ts";
import type { Producer } from "../../src/ports.ts";
import { STEP_MILLIS } from "../support/limits.ts";
import { SeededRandom } from "../support/random.ts";

export const NONE: Endpoint = createEndpoint();
export const isRoot = process.getuid?.() === 0;
export const SEED = Number(process.env.NC_SEED ?? 20_261_123);

export function at(address: string, port = 0): Endpoint {
  const out = parseEndpoint(address, port);
  if (out === undefined) throw new Error(`no address: ${address}`);
  return out;
}

/** Waits until the kernel tells that `fd` is readable (1) or writable (4); false when it does not. */
export function isReady(fd: number, events = 1): boolean {
  const words = new Int32Array(new ArrayBuffer(8));
  words[0] = fd;
  words[1] = events;
  return systemLibc().poll(pointerTo(words), 1, STEP_MILLIS) === 1;
}

/** A batch of slots with these contents, owned by the test. */
export function batchOf(pool: PacketPool, contents: readonly Uint8Array[]): PacketBatch {
  const batch = new PacketBatch(Math.max(contents.length, 1));
  for (const bytes of contents) {
    const slot = pool.take();
    if (slot < 0) throw new Error("the test's arena is too small");
    pool.bytes.set(bytes, pool.start[slot]);
    pool.length[slot] = bytes.length;
    batch.push(slot);
  }
  return batch;
}

export function bytesOf(pool: PacketPool, slot: Slot): Uint8Array {
  const start = pool.start[slot] as number;
  return pool.bytes.slice(start, start + (pool.length[slot] as number));
}

export function releaseAll(pool: PacketPool, batch: PacketBatch): void {
  for (let i = 0; i < batch.count; i++) pool.release(batch.at(i));
  batch.clear();
}

/** Receives until `count` datagrams came or none comes any more; `each` sees every batch before its slots go. */
export function receiveAll(
  pool: PacketPool,
  socket: Producer & { readonly fd: number },
  count: number,
  each: (batch: PacketBatch) => void = () => {},
  capacity = 16,
): Uint8Array[] {
  const out: Uint8Array[] = [];
  const batch = new PacketBatch(capacity);
  while (out.length < count) {
    const received = socket.receive(batch);
    if (received < 0 || (received === 0 && !isReady(socket.fd))) break;
    if (received > 0) each(batch);
    for (let i = 0; i < batch.count; i++) out.push(bytesOf(pool, batch.at(i)));
    releaseAll(pool, batch);
  }
  return out;
}

/** Datagrams of these lengths with contents that tell them apart. */
export function datagrams(lengths: readonly number[], seed = SEED): Uint8Array[] {
  const random = new SeededRandom(seed);
  return lengths.map((length) => {
    const bytes = new Uint8Array(length);
    random.bytes(bytes);
    return bytes;
  });
}

const CLONE_NEWNET = 0x40000000;

/** A network namespace of this process, removed at its end whatever happens. */
export class Namespace {
  readonly name: string;

  constructor(label: string) {
    this.name = `ncsock${process.pid}${label}`;
    run(["ip", "netns", "add", this.name]);
    live.add(this);
    this.ip("link set lo up");
  }

  /** `ip` inside, with its arguments separated by blanks. */
  ip(command: string): string {
    return run(["ip", "-n", this.name, ...command.split(" ")]);
  }

  run(command: string): string {
    return run(["ip", "netns", "exec", this.name, ...command.split(" ")]);
  }

  /** What `open` opens belongs to the namespace for good. */
  enter<T>(open: () => T): T {
    const home = openPath("/proc/self/ns/net");
    const here = openPath(`/run/netns/${this.name}`);
    try {
      if (threads().setns(here, CLONE_NEWNET) !== 0) throw new Error("cannot enter the namespace");
      return open();
    } finally {
      threads().setns(home, CLONE_NEWNET);
      systemLibc().close(home);
      systemLibc().close(here);
    }
  }

  remove(): void {
    if (live.delete(this)) Bun.spawnSync(["ip", "netns", "delete", this.name]);
  }
}

const live = new Set<Namespace>();
function removeAll(): void {
  for (const namespace of live) namespace.remove();
}
process.on("exit", removeAll);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    removeAll();
    process.exit(1);
  });

function openPath(path: string): number {
  const text = new TextEncoder().encode(`${path}\0`);
  const stable = new Uint8Array(new ArrayBuffer(text.length));
  stable.set(text);
  return systemLibc().open(pointerTo(stable), 0, 0);
}

function threads() {
  return dlopen("libc.so.6", { setns: { args: ["i32", "i32"], returns: "i32" } }).symbols;
}

function run(command: string[]): string {
  const result = Bun.spawnSync(command);
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}
