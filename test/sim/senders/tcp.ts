/** A simulated TCP endpoint: handshake, a sending and a receiving half on one pair of ports, data either way. */
import { type Micros, NEVER } from "../../../src/clock.ts";
import type { Slot } from "../../../src/memory/packet-pool.ts";
import {
  type Family,
  ipHeader,
  readSegment,
  Segment,
  TCP_FLAG,
  TCP_HEADER,
  writeSegment,
} from "../../support/packets/slots.ts";
import type { Outlet, Station } from "../station.ts";
import { Cubic } from "./cubic.ts";
import type { InnerControl } from "./inner-control.ts";
import { TcpReceiver } from "./tcp-receiver.ts";
import { TcpSender } from "./tcp-sender.ts";

const SYN_TIMEOUT: Micros = 1_000_000;

export interface TcpOptions {
  readonly port: number;
  readonly peerPort: number;
  readonly role: "connect" | "listen";
  readonly family: Family;
  /** MTU of the host's interface, which gives the MSS it announces. */
  readonly mtu: number;
  readonly control: InnerControl;
  /** Bytes the peer may have in flight; Linux's defaults leave about 3 MB usable. */
  readonly receiveWindow: number;
  /** Acknowledge what arrives in one moment at once, as GRO makes it. */
  readonly coalesce: boolean;
  readonly initialSequence: number;
  /** Time at which the connecting side sends its SYN. */
  readonly startAt: Micros;
}

export const DEFAULT_TCP = {
  role: "listen",
  family: 4,
  mtu: 1500,
  receiveWindow: 4_200_000,
  coalesce: false,
  initialSequence: 0xffff_0000,
  startAt: 0,
} as const;

export class Tcp implements Station {
  readonly port: number;
  readonly sender: TcpSender;
  readonly receiver: TcpReceiver;
  /** Told of every advance of the bytes received in order. */
  onData: (now: Micros, bytes: number) => void = () => {};
  state: "closed" | "syn-sent" | "syn-received" | "established" = "closed";
  establishedAt: Micros = NEVER;
  readonly #options: TcpOptions;
  readonly #outlet: Outlet;
  readonly #in = new Segment();
  readonly #out = new Segment();
  #synTime: Micros = 0;
  #synDeadline: Micros;
  #synWait = SYN_TIMEOUT;

  constructor(outlet: Outlet, options: Partial<TcpOptions> & { port: number; peerPort: number }) {
    this.#options = { ...DEFAULT_TCP, control: new Cubic(), ...options };
    this.#outlet = outlet;
    this.port = options.port;
    this.receiver = new TcpReceiver(this.#options.coalesce);
    this.sender = new TcpSender(this.#options.control, this.#options.initialSequence + 1, this.#transmit);
    this.sender.recovery.stamp = () => this.#out.timestamp + 1;
    this.#synDeadline = this.#options.role === "connect" ? this.#options.startAt : NEVER;
    this.#out.sourcePort = this.#options.port;
    this.#out.destinationPort = this.#options.peerPort;
  }

  get next(): Micros {
    return Math.min(this.#synDeadline, this.sender.deadline, this.receiver.deadline);
  }

  /** Gives the connection `bytes` more to send; Infinity for a bulk transfer. */
  write(now: Micros, bytes: number): void {
    this.sender.written += bytes;
    if (this.state === "established") this.sender.send(now);
  }

  handlePacket(now: Micros, slot: Slot): void {
    const segment = this.#in;
    readSegment(this.#outlet.pool, slot, segment);
    this.#outlet.pool.release(slot);
    if ((segment.flags & TCP_FLAG.SYN) !== 0) {
      this.#handleSyn(now, segment);
      return;
    }
    if (this.state === "syn-received") this.#establish(now);
    if (this.state !== "established") return;
    const before = this.receiver.bytes;
    this.receiver.handle(now, segment);
    this.sender.handleAck(now, segment);
    if (this.receiver.bytes > before) this.onData(now, this.receiver.bytes);
    if (this.receiver.deadline <= now) this.#acknowledge(now);
  }

  handleTimeout(now: Micros): void {
    if (this.#synDeadline <= now) this.#sendSyn(now);
    if (this.receiver.deadline <= now) this.#acknowledge(now);
    if (this.sender.deadline <= now) this.sender.handleTimeout(now);
  }

  #handleSyn(now: Micros, segment: Segment): void {
    const isAnswer = (segment.flags & TCP_FLAG.ACK) !== 0;
    this.receiver.start((segment.sequence + 1) >>> 0, segment.timestamp);
    const own = this.#options.mtu - ipHeader(this.#options.family) - 20;
    this.sender.segmentSize = Math.min(own, segment.mss || own) - (TCP_HEADER - 20);
    this.sender.peerWindow = segment.window;
    if (this.state === "established") this.#acknowledge(now);
    else if (isAnswer && this.state === "syn-sent") {
      this.#acknowledge(now);
      this.#establish(now);
    } else if (!isAnswer && this.#options.role === "listen") {
      this.state = "syn-received";
      this.#sendSyn(now);
    }
  }

  #establish(now: Micros): void {
    this.state = "established";
    this.establishedAt = now;
    this.#synDeadline = NEVER;
    this.sender.start(now, now - this.#synTime);
    this.sender.send(now);
  }

  #sendSyn(now: Micros): void {
    if (this.state === "closed") this.state = "syn-sent";
    this.#synTime = now;
    this.#synDeadline = now + this.#synWait;
    this.#synWait *= 2;
    const out = this.#out;
    out.mss = this.#options.mtu - ipHeader(this.#options.family) - 20;
    out.flags = TCP_FLAG.SYN | (this.state === "syn-received" ? TCP_FLAG.ACK : 0);
    out.sequence = this.#options.initialSequence;
    out.acknowledgement = this.receiver.next < 0 ? 0 : this.receiver.next;
    out.echo = this.receiver.echo;
    out.blockCount = 0;
    this.#send(now, 0);
  }

  #acknowledge(now: Micros): void {
    this.#out.flags = TCP_FLAG.ACK;
    this.#out.sequence = this.sender.nextSequence >>> 0;
    this.receiver.acknowledge(this.#out);
    this.#send(now, 0);
  }

  readonly #transmit = (now: Micros, sequence: number, size: number): void => {
    this.#out.flags = TCP_FLAG.ACK | TCP_FLAG.PSH;
    this.#out.sequence = sequence >>> 0;
    this.receiver.acknowledge(this.#out);
    this.#out.blockCount = 0;
    this.#send(now, size);
  };

  #send(now: Micros, payload: number): void {
    const out = this.#out;
    out.payload = payload;
    out.window = this.#options.receiveWindow;
    out.timestamp = this.#outlet.serial(now);
    const slot = this.#outlet.take();
    writeSegment(this.#outlet.pool, slot, this.#options.family, this.#outlet.side, out);
    this.#outlet.send(now, slot);
  }
}
