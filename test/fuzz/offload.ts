/** Super-packets from a kernel that lies, cut and joined again. */
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { Joiner } from "../../src/offload/joiner.ts";
import { Segmenter } from "../../src/offload/segmenter.ts";
import { GSO, VIRTIO_FLAG, VIRTIO_SIZE, VirtioHeader } from "../../src/offload/virtio.ts";
import { counting } from "../support/bytes.ts";
import { build } from "../support/packets/build.ts";
import type { SeededRandom } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import { PACKETS } from "./packets.ts";
import { check, type Target } from "./target.ts";

/** Returns a virtio header and its packet, as the kernel hands them over. */
function withHeader(packet: Uint8Array, gsoType: number, gsoSize: number): Uint8Array {
  const out = new Uint8Array(VIRTIO_SIZE + packet.length);
  const header = new VirtioHeader();
  header.gsoType = gsoType;
  header.gsoSize = gsoSize;
  header.flags = gsoType === GSO.NONE ? 0 : VIRTIO_FLAG.NEEDS_CSUM;
  header.csumStart = (packet[0] ?? 0) >> 4 === 4 ? 20 : 40;
  header.csumOffset = gsoType === GSO.UDP_L4 ? 6 : 16;
  header.write(new DataView(out.buffer), 0);
  out.set(packet, VIRTIO_SIZE);
  return out;
}

const payload = counting(9_000);
const SEEDS: readonly Uint8Array[] = [
  withHeader(build({ version: 4, protocol: "tcp", payload, checksum: "partial" }), GSO.TCPV4, 1_360),
  withHeader(build({ version: 6, protocol: "tcp", payload, checksum: "partial" }), GSO.TCPV6, 1_340),
  withHeader(build({ version: 4, protocol: "udp", payload, checksum: "partial" }), GSO.UDP_L4, 1_200),
  ...PACKETS.map((packet) => withHeader(packet, GSO.NONE, 0)),
];

const CAPACITY = 1_500;
const SLOTS = 64;

class Bench {
  readonly #pool = new PacketPool(SLOTS, CAPACITY);
  readonly #memory = new Uint8Array(new ArrayBuffer(65_600));
  readonly #header = new VirtioHeader();
  readonly #batch = new PacketBatch(SLOTS);
  readonly #joiner = new Joiner(this.#pool, SLOTS, true);
  readonly #splitter = new Segmenter(this.#pool, this.#memory.buffer as ArrayBuffer, (to, from, length) => {
    check(from + length <= this.#memory.length, "copies from beyond the memory");
    this.#pool.bytes.set(this.#memory.subarray(from, from + length), to);
  });

  attempt(random: SeededRandom, input: Uint8Array): void {
    if (input.length < VIRTIO_SIZE) return;
    this.#memory.set(input);
    this.#header.read(new DataView(this.#memory.buffer), 0);
    this.#batch.clear();
    this.#splitter.split(VIRTIO_SIZE, input.length - VIRTIO_SIZE, this.#header, this.#batch);
    check(!this.#splitter.isPending || this.#batch.isFull, "pends with room in the batch");
    check(this.#pool.free === SLOTS - this.#batch.count, "slots");
    for (let i = 0; i < this.#batch.count; i++) {
      const slot = this.#batch.at(i);
      check((this.#pool.length[slot] as number) <= this.#pool.capacity, "a packet larger than its slot");
      if (random.chance(0.2))
        this.#pool.bytes[(this.#pool.start[slot] as number) + random.below(60)] = random.below(256);
    }
    this.#joinAll();
    for (let i = 0; i < this.#batch.count; i++) this.#pool.release(this.#batch.at(i));
    for (let more = 0; this.#splitter.isPending && more < 1_000; more++) this.#drain();
    check(!this.#splitter.isPending, "never ends");
  }

  /** Joins what was cut: every piece lies in a slot, and no byte is lost but those of headers. */
  #joinAll(): void {
    const joiner = this.#joiner;
    joiner.join(this.#batch);
    check(joiner.groups <= this.#batch.count, "more groups than packets");
    for (let piece = 0; piece < (joiner.firstPiece[joiner.groups] as number); piece++) {
      const end = (joiner.pieceOffset[piece] as number) + (joiner.pieceLength[piece] as number);
      check(end <= this.#pool.memory.byteLength, "a piece beyond the arena");
    }
  }

  #drain(): void {
    this.#batch.clear();
    this.#splitter.resume(this.#batch);
    for (let i = 0; i < this.#batch.count; i++) this.#pool.release(this.#batch.at(i));
  }
}

export const OFFLOAD: Target = {
  draw: (random) => mutate(random, SEEDS, 12_000),
  start() {
    const bench = new Bench();
    return (random, input) => bench.attempt(random, input);
  },
};
