// @hot
/**
 * Datagrams directly in IP packets of one protocol number: the transport of links with method IP. There are no ports,
 * so every socket of a protocol and address sees the datagrams of every peer; the caller tells them apart by address.
 * The kernel writes the IP header both ways (no IP_HDRINCL); IPv4 delivers it with the datagram, IPv6 does not
 * (RFC 3542, 3). No checksum is asked for: the datagram's own authentication is stronger. Endpoints have port 0.
 * One socket carries one IP version; a listener for both opens two.
 */
import { createEndpoint, type Endpoint, setPort } from "../src/endpoint.ts";
import type { PacketBatch } from "../src/memory/packet-batch.ts";
import type { PacketPool } from "../src/memory/packet-pool.ts";
import type { Consumer, Producer } from "../src/ports.ts";
import { DatagramReader, type DatagramSocket, DatagramWriter } from "./datagrams.ts";
import { askLocalAddress } from "./local-address.ts";
import {
  describeSocket,
  type OpenedSocket,
  openSocket,
  type SocketDescription,
  type SocketRequest,
  setSwitch,
} from "./socket.ts";
import { SocketCounters } from "./socket-counters.ts";
import { type SocketSystem, systemSockets } from "./socket-system.ts";

/** "Use for experimentation and testing" (RFC 3692). */
const DEFAULT_PROTOCOL = 253;

export interface RawRequest extends SocketRequest {
  readonly family: 4 | 6;
  /** IP protocol number, 1 to 254; `DEFAULT_PROTOCOL` when absent. */
  readonly protocol?: number | undefined;
}

export class RawSocket implements Producer, Consumer {
  readonly counters = new SocketCounters();
  readonly #system: SocketSystem;
  readonly #opened: OpenedSocket;
  readonly #reader: DatagramReader;
  readonly #writer: DatagramWriter;
  #isOpen = true;

  private constructor(system: SocketSystem, pool: PacketPool, opened: OpenedSocket) {
    this.#system = system;
    this.#opened = opened;
    // getsockname gives the protocol number where other sockets have a port.
    setPort(opened.local, 0);
    const isTold = opened.isUnbound && (opened.family === 6 || system.numbers.localAddress4.onRaw);
    const socket: DatagramSocket = {
      system,
      pool,
      opened,
      counters: this.counters,
      tellsLocal: isTold && askLocalAddress(system, opened),
      fixedLocal: opened.isUnbound ? createEndpoint() : opened.local,
      hasIpHeader: opened.family === 4,
    };
    this.#reader = new DatagramReader(socket);
    this.#writer = new DatagramWriter(socket);
  }

  /**
   * Opens a bound socket whose datagrams live in `pool`. Needs CAP_NET_RAW, or root on FreeBSD.
   * @throws NetcombinerError when the system refuses
   */
  static open(pool: PacketPool, request: RawRequest, system: SocketSystem = systemSockets()): RawSocket {
    const protocol = request.protocol ?? DEFAULT_PROTOCOL;
    return new RawSocket(system, pool, openSocket(system, system.layout.SOCK_RAW, protocol, request));
  }

  get fd(): number {
    return this.#opened.fd;
  }

  /** Datagrams already read that the descriptor no longer tells of: call `receive` again before waiting. */
  get hasPending(): boolean {
    return this.#reader.hasPending;
  }

  receive(batch: PacketBatch): number {
    return this.#reader.receive(batch);
  }

  send(batch: PacketBatch, remote: Endpoint, local: Endpoint): number {
    return this.#writer.send(batch, remote, local, 0, batch.count);
  }

  /** Does the same as `UdpSocket.setDontFragment`. */
  setDontFragment(isOn: boolean): boolean {
    const { dontFragment4, dontFragment6 } = this.#system.numbers;
    return setSwitch(this.#system, this.fd, this.#opened.family === 4 ? dontFragment4 : dontFragment6, isOn);
  }

  describe(): SocketDescription {
    return describeSocket(this.#opened, false, false);
  }

  /** Closes the descriptor and gives back slots that were not handed over. A second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reader.close();
    this.#system.libc.close(this.fd);
  }
}
