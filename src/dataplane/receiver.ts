// @hot
/** Moves datagrams from the sockets to the portal, and packets from the portal to the host. */
import type { Micros } from "../clock.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import type { PacketPool } from "../memory/packet-pool.ts";
import type { Portal } from "../portal/portal.ts";
import { READS_PER_TURN } from "./capacities.ts";
import type { Connections } from "./connections.ts";
import type { LinkSocket, SocketTransport } from "./socket-table.ts";
import type { TunEdge } from "./tun-edge.ts";

export class Receiver {
  readonly #pool: PacketPool;
  readonly #portal: Portal;
  readonly #edge: TunEdge;
  readonly #connections: Connections;
  readonly #input: PacketBatch;
  readonly #output: PacketBatch;

  /** @param input, output batches that are empty between calls, shared with whoever moves packets the other way */
  constructor(
    pool: PacketPool,
    portal: Portal,
    edge: TunEdge,
    connections: Connections,
    input: PacketBatch,
    output: PacketBatch,
  ) {
    this.#pool = pool;
    this.#portal = portal;
    this.#edge = edge;
    this.#connections = connections;
    this.#input = input;
    this.#output = output;
  }

  /** Reads what a socket has, up to a turn's share. */
  receive(now: Micros, socket: LinkSocket, transport: SocketTransport): void {
    const input = this.#input;
    const { slots } = input;
    for (let i = 0; i < READS_PER_TURN || transport.hasPending; i++) {
      input.clear();
      const count = transport.receive(input);
      if (count < 0) return this.#connections.end(now, socket, transport);
      if (count === 0) break;
      for (let j = 0; j < count; j++) {
        this.#portal.handleDatagram(now, socket.id, slots[j] as number, input.remote, input.local);
      }
      // Super-packets grow with what is delivered at once, but the host should not wait for a whole turn of it.
      if (this.#pool.free < this.#pool.count / 2) this.deliver(now);
    }
  }

  /** Writes to the TUN what the portal has for the host. */
  deliver(now: Micros): void {
    const output = this.#output;
    for (;;) {
      output.clear();
      this.#portal.pollPackets(now, output);
      if (output.count === 0) return;
      const isMore = output.isFull;
      this.#edge.write(output);
      if (!isMore) return;
    }
  }
}
