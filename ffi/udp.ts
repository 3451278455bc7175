// @hot
/**
 * Datagrams in UDP: the transport of links with method UDP, for one peer or, listening, for many. Non-blocking and in
 * batches; with segmentation offload where the kernel has it and one by one where not, to the same effect.
 * It must not know what a datagram says, nor which path it belongs to.
 */
import { createEndpoint, type Endpoint } from "../src/endpoint.ts";
import type { PacketBatch } from "../src/memory/packet-batch.ts";
import type { PacketPool } from "../src/memory/packet-pool.ts";
import type { Consumer, Producer } from "../src/ports.ts";
import { DatagramReader, type DatagramSocket, DatagramWriter } from "./datagrams.ts";
import { askLocalAddress } from "./local-address.ts";
import { SegmentReader, SegmentWriter } from "./segments.ts";
import {
  describeSocket,
  type OpenedSocket,
  openSocket,
  readOption,
  type SocketDescription,
  type SocketRequest,
  setOption,
  setSwitch,
} from "./socket.ts";
import { SocketCounters } from "./socket-counters.ts";
import { IPPROTO, type SocketSystem, systemSockets } from "./socket-system.ts";

export interface UdpRequest extends SocketRequest {
  /** Sends runs of datagrams in one call where the kernel can. Default true. */
  readonly gso?: boolean;
  /** Receives runs of datagrams in one call where the kernel can. Default true. */
  readonly gro?: boolean;
}

export class UdpSocket implements Producer, Consumer {
  readonly counters = new SocketCounters();
  readonly #system: SocketSystem;
  readonly #opened: OpenedSocket;
  readonly #hasGro: boolean;
  readonly #reader: DatagramReader;
  readonly #segmentReader: SegmentReader | undefined;
  readonly #writer: DatagramWriter;
  readonly #segmentWriter: SegmentWriter | undefined;
  #isOpen = true;

  private constructor(system: SocketSystem, pool: PacketPool, opened: OpenedSocket, request: UdpRequest) {
    this.#system = system;
    this.#opened = opened;
    const socket: DatagramSocket = {
      system,
      pool,
      opened,
      counters: this.counters,
      tellsLocal: opened.isUnbound && askLocalAddress(system, opened),
      fixedLocal: opened.isUnbound ? createEndpoint() : opened.local,
      hasIpHeader: false,
    };
    this.#hasGro = (request.gro ?? true) && enableGro(system, opened.fd);
    this.#reader = new DatagramReader(socket);
    this.#segmentReader = this.#hasGro ? new SegmentReader(socket) : undefined;
    this.#writer = new DatagramWriter(socket);
    const hasGso = (request.gso ?? true) && offersGso(system, opened.fd);
    this.#segmentWriter = hasGso ? new SegmentWriter(socket, this.#writer) : undefined;
  }

  /**
   * Opens a bound socket whose datagrams live in `pool`.
   * @throws NetcombinerError when the system refuses the address or the interface
   */
  static open(pool: PacketPool, request: UdpRequest, system: SocketSystem = systemSockets()): UdpSocket {
    const opened = openSocket(system, system.layout.SOCK_DGRAM, IPPROTO.UDP, request);
    return new UdpSocket(system, pool, opened, request);
  }

  get fd(): number {
    return this.#opened.fd;
  }

  /** The bound address and port. */
  get local(): Endpoint {
    return this.#opened.local;
  }

  /** Datagrams already read that the descriptor no longer tells of: call `receive` again before waiting. */
  get hasPending(): boolean {
    return (this.#segmentReader ?? this.#reader).hasPending;
  }

  receive(batch: PacketBatch): number {
    return this.#segmentReader === undefined ? this.#reader.receive(batch) : this.#segmentReader.receive(batch);
  }

  send(batch: PacketBatch, remote: Endpoint, local: Endpoint): number {
    return this.#segmentWriter === undefined
      ? this.#writer.send(batch, remote, local, 0, batch.count)
      : this.#segmentWriter.send(batch, remote, local);
  }

  /**
   * Sets whether datagrams above the path's MTU are lost or refused (true), as discovery of that MTU wants, or fragmented by the kernel
   * (false, as at the start). An IPv6 socket that carries IPv4 is set for both.
   * @returns true if the system can
   */
  setDontFragment(isOn: boolean): boolean {
    const { dontFragment4, dontFragment6 } = this.#system.numbers;
    const four = setSwitch(this.#system, this.fd, dontFragment4, isOn);
    return this.#opened.family === 4 ? four : setSwitch(this.#system, this.fd, dontFragment6, isOn);
  }

  describe(): SocketDescription {
    return describeSocket(this.#opened, this.#segmentWriter?.isEnabled ?? false, this.#hasGro);
  }

  /** Closes the descriptor and gives back slots that were not handed over. A second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reader.close();
    this.#system.libc.close(this.fd);
  }
}

function enableGro(system: SocketSystem, fd: number): boolean {
  return system.numbers.UDP_GRO !== 0 && setOption(system, fd, IPPROTO.UDP, system.numbers.UDP_GRO, 1);
}

/** True if the kernel knows the option, as those before 4.18 do not; whether the device can do it shows at the first run sent. */
function offersGso(system: SocketSystem, fd: number): boolean {
  return system.numbers.UDP_SEGMENT !== 0 && readOption(system, fd, IPPROTO.UDP, system.numbers.UDP_SEGMENT) >= 0;
}
