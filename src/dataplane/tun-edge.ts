// @hot
/**
 * The edge towards the host: a TUN device as source and sink over the arena. With offloads super-packets are cut on the
 * way in and consecutive packets joined on the way out; without them each packet is read into its slot and written
 * from there. It works in any thread; the poll belongs to the caller.
 */
import { type Address, type Libc, pointerTo, systemLibc } from "../../ffi/libc.ts";
import { TUN_GONE, TUN_NOTHING, type TunDescriptor } from "../../ffi/tun.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool, type Slot, TAILROOM } from "../memory/packet-pool.ts";
import { Joiner } from "../offload/joiner.ts";
import { Segmenter } from "../offload/segmenter.ts";
import { completePacket } from "../offload/transport.ts";
import { VIRTIO_SIZE, VirtioHeader } from "../offload/virtio.ts";
import type { Sink, Source } from "../ports.ts";

/** Reads of one call, so that sockets get their turn. */
const READS = 64;
/** struct iovec: base and length, 64 bits each, as four words. */
const IOVEC_WORDS = 4;
const MAX_IOVECS = 64;
/** AF_INET and AF_INET6 of FreeBSD, the one system whose device asks for the family. */
const FAMILY = { 4: 2, 6: 28 } as const;

export class TunEdge implements Source, Sink {
  /** Packets read and written, writes made (each one super-packet or packet), and packets the host would not take. */
  packetsRead = 0;
  reads = 0;
  packetsWritten = 0;
  writes = 0;
  refused = 0;

  readonly #pool: PacketPool;
  readonly #tun: TunDescriptor;
  readonly #base: Address;
  readonly #isVirtio: boolean;
  readonly #prefixSize: number;
  readonly #segmenter: Segmenter;
  readonly #joiner: Joiner;
  readonly #header = new VirtioHeader();
  readonly #stagingView: DataView;
  readonly #headersAddress: Address;
  /** The address family of FreeBSD, in network order. */
  readonly #family = new DataView(new ArrayBuffer(4));
  readonly #familyAddress: Address = pointerTo(this.#family);
  readonly #iovecs = new Uint32Array(new ArrayBuffer(4 * IOVEC_WORDS * MAX_IOVECS));
  readonly #iovecsAddress: Address = pointerTo(this.#iovecs);
  #oversized = 0;

  /** @param capacity packets in the largest batch handed to `write` */
  constructor(pool: PacketPool, tun: TunDescriptor, capacity = 1024, libc: Libc = systemLibc()) {
    const base = pointerTo(pool.memory);
    const staging = tun.stagingAddress;
    this.#pool = pool;
    this.#tun = tun;
    this.#base = base;
    this.#isVirtio = tun.format.prefix === "virtio";
    this.#prefixSize = tun.format.prefixSize;
    this.#stagingView = new DataView(tun.staging);
    this.#segmenter = new Segmenter(pool, tun.staging, (to, from, length) =>
      libc.memcpy(base + to, staging + from, length),
    );
    this.#joiner = new Joiner(pool, this.#isVirtio ? capacity : 1, tun.format.uso);
    this.#headersAddress = pointerTo(this.#joiner.headers);
  }

  /** Packets of the host lost for want of slots, or malformed, or too long for a slot. */
  get dropped(): number {
    return this.#segmenter.dropped + this.#oversized;
  }

  /** Number of super-packets written. */
  get superPackets(): number {
    return this.#joiner.superPackets;
  }

  /** True if part of a super-packet waits for the next batch; the poll does not tell. */
  get isPending(): boolean {
    return this.#segmenter.isPending;
  }

  /** True once the interface has been deleted. */
  get isGone(): boolean {
    return this.#tun.isGone;
  }

  read(batch: PacketBatch): number {
    const appended = this.#isVirtio ? this.#readSuper(batch) : this.#readPlain(batch);
    this.packetsRead += appended;
    return appended;
  }

  write(batch: PacketBatch): number {
    const written = this.#isVirtio ? this.#writeJoined(batch) : this.#writePlain(batch);
    this.packetsWritten += written;
    this.refused += batch.count - written;
    for (let i = 0; i < batch.count; i++) this.#pool.release(batch.at(i));
    return written;
  }

  #readSuper(batch: PacketBatch): number {
    const segmenter = this.#segmenter;
    let appended = segmenter.isPending ? segmenter.resume(batch) : 0;
    for (let i = 0; i < READS && !batch.isFull && this.#pool.free > 0; i++) {
      const n = this.#tun.read();
      if (n === TUN_NOTHING || n === TUN_GONE) break;
      this.reads++;
      if (n <= VIRTIO_SIZE) continue;
      this.#header.read(this.#stagingView, 0);
      appended += segmenter.split(VIRTIO_SIZE, n - VIRTIO_SIZE, this.#header, batch);
    }
    return appended;
  }

  #readPlain(batch: PacketBatch): number {
    const pool = this.#pool;
    const prefix = this.#prefixSize;
    let appended = 0;
    for (let i = 0; i < READS && !batch.isFull; i++) {
      const slot = pool.take();
      if (slot === NO_SLOT) break;
      const at = pool.start[slot] as number;
      // Into the headroom and up to the tailroom: what reaches that far is too long.
      const n = this.#tun.readInto(this.#base + at - prefix, prefix + pool.capacity + TAILROOM);
      if (n > prefix && n <= prefix + pool.capacity) {
        this.reads++;
        pool.length[slot] = n - prefix;
        batch.push(slot);
        appended++;
        continue;
      }
      pool.release(slot);
      if (n === TUN_NOTHING || n === TUN_GONE) break;
      this.#oversized++;
    }
    return appended;
  }

  #writeJoined(batch: PacketBatch): number {
    const joiner = this.#joiner;
    joiner.join(batch);
    let written = 0;
    for (let g = 0; g < joiner.groups; g++) {
      const from = joiner.firstPiece[g] as number;
      const to = joiner.firstPiece[g + 1] as number;
      this.#setIovec(0, this.#headersAddress + VIRTIO_SIZE * g, VIRTIO_SIZE);
      for (let p = from; p < to; p++) {
        this.#setIovec(p - from + 1, this.#base + (joiner.pieceOffset[p] as number), joiner.pieceLength[p] as number);
      }
      this.writes++;
      if (this.#tun.writev(this.#iovecsAddress, to - from + 1) > 0) written += to - from;
    }
    return written;
  }

  #writePlain(batch: PacketBatch): number {
    const pool = this.#pool;
    let written = 0;
    for (let i = 0; i < batch.count; i++) {
      const slot = batch.at(i);
      if ((pool.flags[slot] as number) & PACKET_FLAG.CHECKSUM_PARTIAL) completePacket(pool, slot);
      this.writes++;
      if (this.#tun.writev(this.#iovecsAddress, this.#describePlain(slot)) > 0) written++;
    }
    return written;
  }

  /** @returns iovecs of the packet in `slot`, with the prefix the device wants */
  #describePlain(slot: Slot): number {
    const at = this.#pool.start[slot] as number;
    let count = 0;
    if (this.#prefixSize > 0) {
      const version = (this.#pool.bytes[at] as number) >>> 4;
      this.#family.setUint32(0, version === 6 ? FAMILY[6] : FAMILY[4]);
      this.#setIovec(count++, this.#familyAddress, this.#prefixSize);
    }
    this.#setIovec(count++, this.#base + at, this.#pool.length[slot] as number);
    return count;
  }

  #setIovec(index: number, address: Address, length: number): void {
    const word = IOVEC_WORDS * index;
    this.#iovecs[word] = address >>> 0;
    this.#iovecs[word + 1] = Math.floor(address / 0x1_0000_0000);
    this.#iovecs[word + 2] = length;
  }
}
