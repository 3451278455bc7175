/**
 * A portal whose loop is late: each turn begins some time after the event that wakes it, as on a busy machine or on a core that a hypervisor
 * lends to others. What arrives meanwhile waits, as in the buffers of sockets and of the TUN device.
 */
import { type Micros, NEVER } from "../../src/clock.ts";
import type { PacketBatch } from "../../src/memory/packet-batch.ts";
import type { Slot } from "../../src/memory/packet-pool.ts";
import { PortalGateway, type PortalOptions } from "./portal-gateway.ts";

export class LateGateway extends PortalGateway {
  /** Draws how late the next turn is. */
  readonly #draw: () => Micros;
  readonly #packets: Slot[] = [];
  readonly #datagrams: { readonly link: number; readonly slot: Slot }[] = [];
  #late: Micros;
  /** Time at which the turn begins that something arrived for. */
  #wakeAt: Micros = NEVER;
  #turnAt: Micros = -1;

  constructor(options: PortalOptions, draw: () => Micros) {
    super(options);
    this.#draw = draw;
    this.#late = draw();
  }

  override handlePacket(now: Micros, slot: Slot): void {
    this.#packets.push(slot);
    this.#wake(now);
  }

  override handleDatagram(now: Micros, link: number, slot: Slot): void {
    this.#datagrams.push({ link, slot });
    this.#wake(now);
  }

  #wake(now: Micros): void {
    this.#wakeAt = Math.min(this.#wakeAt, now + this.#late);
  }

  override pollTimeout(): Micros {
    return Math.min(this.#wakeAt, super.pollTimeout() + this.#late);
  }

  override handleTimeout(now: Micros): void {
    this.#turnAt = now;
    this.#wakeAt = NEVER;
    this.#late = this.#draw();
    for (const { link, slot } of this.#datagrams.splice(0)) super.handleDatagram(now, link, slot);
    for (const slot of this.#packets.splice(0)) super.handlePacket(now, slot);
    super.handleTimeout(now);
  }

  override pollDatagrams(now: Micros, link: number, out: PacketBatch): number {
    return this.#turnAt === now ? super.pollDatagrams(now, link, out) : 0;
  }

  override pollPackets(now: Micros, out: PacketBatch): number {
    return this.#turnAt === now ? super.pollPackets(now, out) : 0;
  }

  override check(now: Micros): void {
    if (this.#turnAt === now) super.check(now);
  }
}
