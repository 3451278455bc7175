/** The framing of datagrams over TCP: any bytes, in pieces of any size, through a library that hands them out. */
import { type Libc, memoryAt, systemLibc } from "../../ffi/libc.ts";
import { systemSockets } from "../../ffi/socket-system.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { createEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { fakeLibc } from "../ffi/fake-libc.ts";
import { counting } from "../support/bytes.ts";
import { join } from "../support/packets/build.ts";
import type { SeededRandom } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import { check, type Target } from "./target.ts";

const SLOTS = 8;
const CAPACITY = 1_500;
const EAGAIN = 11;
/** Receives on one stream before it is taken for one that never ends. */
const TURNS = 20_000;

function framed(...sizes: readonly number[]): Uint8Array {
  return join(...sizes.flatMap((size) => [Uint8Array.of(0, 0, size >> 8, size & 255), counting(size)]));
}

const SEEDS = [framed(100), framed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), framed(1_400, 36, 1_400), framed(1_600, 40)];

class Bench {
  readonly #pool = new PacketPool(SLOTS, CAPACITY);
  readonly #batch = new PacketBatch(3);
  readonly #real = systemLibc();
  #input = new Uint8Array(0);
  #at = 0;
  #piece = 1;

  readonly #libc = fakeLibc({
    recv: (_fd = 0, to = 0, room = 0) => this.#receive(to, room),
    memcpy: (to = 0, from = 0, length = 0) => {
      this.#real.memcpy(to, from, length);
      return 0;
    },
    setsockopt: () => 0,
    getsockname: () => -EAGAIN,
    close: () => 0,
  });

  attempt(random: SeededRandom, input: Uint8Array): void {
    this.#input = input.slice();
    this.#at = 0;
    this.#piece = 1 + random.below(random.chance(0.5) ? 8 : 3_000);
    const system = { ...systemSockets(), libc: this.#libc as Libc };
    const stream = TcpStream.accepted(this.#pool, OPENED, createEndpoint(), 0, system);
    const expected = datagramsIn(this.#input, this.#pool.slotSize - this.#pool.datagramOrigin(0));
    let count = 0;
    for (let turn = 0; ; turn++) {
      check(turn < TURNS, "never ends");
      this.#batch.clear();
      const got = stream.receive(this.#batch);
      if (got < 0) break;
      count += got;
      for (let i = 0; i < this.#batch.count; i++) this.#pool.release(this.#batch.at(i));
    }
    check(count === expected.count, `cut ${count} datagrams out of ${expected.count}`);
    // Where the end of the stream is read before a length that cannot be, that is why it ended.
    const isNamed = stream.reason === "closed" || (expected.isBroken && stream.reason === "frame-length");
    check(isNamed, `ended by ${stream.reason}`);
    check(this.#pool.free === SLOTS, "slots");
    stream.close();
    this.#libc.calls.length = 0;
  }

  #receive(to: number, room: number): number {
    const length = Math.min(room, this.#piece, this.#input.length - this.#at);
    if (length > 0) memoryAt(to, length).set(this.#input.subarray(this.#at, this.#at + length));
    this.#at += length;
    return length;
  }
}

const OPENED = {
  fd: 1_000_000,
  family: 4,
  isUnbound: false,
  local: createEndpoint(),
  interface: "",
  receiveBuffer: 0,
  sendBuffer: 0,
} as const;

/** Reads the same by the definition: lengths of 32 bits, none of them 0 or more than there is room for. */
function datagramsIn(input: Uint8Array, room: number): { count: number; isBroken: boolean } {
  const view = new DataView(input.buffer);
  let count = 0;
  for (let at = 0; at + 4 <= input.length; count++) {
    const length = view.getUint32(at);
    if (length === 0 || length > room) return { count, isBroken: true };
    at += 4 + length;
    if (at > input.length) break;
  }
  return { count, isBroken: false };
}

export const FRAMING: Target = {
  draw: (random) => mutate(random, SEEDS, 6_000),
  start() {
    const bench = new Bench();
    return (random, input) => bench.attempt(random, input);
  },
};
