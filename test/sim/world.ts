/**
 * A small internet in virtual time: hosts, a gateway (a portal, or none) on either side, and links between them.
 * Everything that happens follows from the seed; the invariants of the tunnel are asserted as it runs:
 * what comes out went in, unchanged in length and at most once; slots are conserved; time never goes back.
 */
import type { Micros } from "../../src/clock.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { NO_SLOT, PacketPool, type Slot } from "../../src/memory/packet-pool.ts";
import { portOf, type Side, serialOf } from "../support/packets/slots.ts";
import { SeededRandom } from "../support/random.ts";
import type { Gateway } from "./gateway.ts";
import { LinkModel, type LinkOutput, type LinkShape } from "./link-model.ts";
import type { Outlet, Station } from "./station.ts";
import { TimerQueue } from "./timer-queue.ts";

/** The two directions of a link: from side 0 to side 1, and back. */
export interface LinkPair {
  readonly out: Partial<LinkShape>;
  readonly back: Partial<LinkShape>;
}

export interface WorldOptions {
  readonly seed: number;
  readonly links: readonly LinkPair[];
  /** Makes the gateway of a side; called once for each side, side 0 first. */
  readonly gateway: (side: Side, world: World) => Gateway;
  /** False where the network between hosts may itself deliver twice, without a tunnel to prevent it. */
  readonly isTunnel?: boolean;
  /** Slots for all packets on links and between hosts and gateways. */
  readonly slots?: number;
}

/** Directions whose queue or rate several links share: the datagrams of each pass its model first. */
export interface Bottleneck {
  readonly side: Side;
  readonly links: readonly number[];
  readonly shape: Partial<LinkShape>;
}

const PACKET_CAPACITY = 2048 - 128;
const MAX_TURNS_AT_ONCE = 10_000;

export class World {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly pool: PacketPool;
  /** `links[n][side]` carries what `side` sends. */
  readonly links: readonly (readonly [LinkModel, LinkModel])[];
  readonly gateways: [Gateway, Gateway];
  now: Micros = 0;
  /** Turns taken, and a digest of every packet sent and delivered with its time. */
  turns = 0;
  trace = 0x811c9dc5;
  /** Packets from hosts that found no slot in the gateway's pool, per side. */
  readonly refused = [0, 0];
  /** Packets delivered to hosts, per side. */
  readonly delivered = [0, 0];
  readonly #isTunnel: boolean;
  readonly #isDirty = [true, true];
  readonly #stations: { readonly station: Station; readonly side: Side; readonly distance: Micros }[] = [];
  readonly #byPort: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  /** Packets on their way between a host and its gateway, per side. */
  readonly #toGateway: [TimerQueue, TimerQueue] = [new TimerQueue(), new TimerQueue()];
  readonly #toStation: [TimerQueue, TimerQueue] = [new TimerQueue(), new TimerQueue()];
  /** Length of every packet a side's hosts have sent and the other's have not got, by serial. */
  readonly #entered: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  readonly #outputs: LinkOutput[][];
  readonly #actions = new TimerQueue();
  readonly #actionList: ((world: World) => void)[] = [];
  readonly #batch = new PacketBatch(64);
  #serial = 0;
  #turnsNow = 0;
  #shared: { readonly model: LinkModel; readonly side: Side; readonly links: ReadonlySet<number>; out: LinkOutput }[] =
    [];
  #slotsOnLinks = 0;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.random = new SeededRandom(options.seed);
    this.pool = new PacketPool(options.slots ?? 16_384, PACKET_CAPACITY);
    this.#isTunnel = options.isTunnel ?? true;
    this.links = options.links.map(({ out, back }) => [this.#model(out), this.#model(back)] as const);
    this.#outputs = this.links.map((_, link) => [this.#exit(link, 0), this.#exit(link, 1)]);
    this.gateways = [options.gateway(0, this), options.gateway(1, this)];
  }

  /** Puts a host on a side; `distance` is the one-way delay between it and the gateway. */
  add<S extends Station>(side: Side, create: (outlet: Outlet) => S, distance: Micros = 0): S {
    const index = this.#stations.length;
    const outlet: Outlet = {
      pool: this.pool,
      side,
      serial: (now) => this.#nextSerial(now),
      take: () => this.#take(),
      send: (now, slot) => this.#enter(now, side, slot, distance),
    };
    const station = create(outlet);
    if (this.#byPort[side].has(station.port)) throw new Error(`port ${station.port} is taken on side ${side}`);
    this.#byPort[side].set(station.port, index);
    this.#stations.push({ station, side, distance });
    return station;
  }

  /** Calls `action` at a time to come. */
  at(time: Micros, action: (world: World) => void): void {
    this.#actions.push(time, this.#actionList.push(action) - 1);
  }

  /** Calls `action` now and then at every interval. */
  every(interval: Micros, action: (world: World) => void): void {
    const again = (world: World): void => {
      action(world);
      this.at(world.now + interval, again);
    };
    this.at(this.now, again);
  }

  /** Lets what several links carry in one direction pass one more rate and queue first. */
  share(bottleneck: Bottleneck): LinkModel {
    const model = this.#model(bottleneck.shape);
    const { side } = bottleneck;
    const out: LinkOutput = {
      arrive: (id) => this.#offer(id & 0xff, side, id >>> 8),
      discard: (id) => this.#releaseWire(id >>> 8),
    };
    this.#shared.push({ model, side, links: new Set(bottleneck.links), out });
    return model;
  }

  /** Changes both directions of a link, or one. */
  change(link: number, shape: Partial<LinkShape>, sides: readonly Side[] = [0, 1]): void {
    for (const side of sides) this.#link(link, side).change(this.now, shape, this.#output(link, side));
  }

  cut(link: number, sides: readonly Side[] = [0, 1]): void {
    for (const side of sides) this.#link(link, side).cut(this.now, this.#output(link, side));
  }

  uncut(link: number, sides: readonly Side[] = [0, 1]): void {
    for (const side of sides) this.#link(link, side).uncut(this.now, this.#output(link, side));
  }

  /** Exchanges a gateway for a new one, as a restart does; what the old one held is lost. */
  replace(side: Side, gateway: Gateway): void {
    this.gateways[side] = gateway;
    this.#isDirty[side] = true;
  }

  /** Tells the world that a gateway was changed from outside and has to be asked again. */
  touch(side: Side): void {
    this.#isDirty[side] = true;
  }

  /** Lets time pass until `until`. */
  run(until: Micros): void {
    for (;;) {
      const time = this.#nextTime();
      if (time > until) break;
      const now = Math.max(this.now, Math.ceil(time));
      this.#turnsNow = now === this.now ? this.#turnsNow + 1 : 0;
      if (this.#turnsNow > MAX_TURNS_AT_ONCE) throw this.#fault("time stands still");
      this.now = now;
      this.#turn(now);
    }
    this.now = Math.max(this.now, Math.ceil(until));
  }

  /** Returns the packets a side's hosts sent that the other side's hosts never got: lost, or still on the way. */
  missing(side: Side): number {
    return this.#entered[side].size;
  }

  #model(shape: Partial<LinkShape>): LinkModel {
    return new LinkModel(shape, this.random.uint32());
  }

  #link(link: number, side: Side): LinkModel {
    return (this.links[link] as readonly [LinkModel, LinkModel])[side];
  }

  #output(link: number, side: Side): LinkOutput {
    return (this.#outputs[link] as LinkOutput[])[side] as LinkOutput;
  }

  #nextTime(): Micros {
    if (this.#isDirty[0] || this.#isDirty[1]) return this.now;
    let time = this.#actions.time;
    for (const { station } of this.#stations) time = Math.min(time, station.next);
    for (const pair of this.links) time = Math.min(time, pair[0].next(), pair[1].next());
    for (const { model } of this.#shared) time = Math.min(time, model.next());
    for (let side = 0; side < 2; side++) {
      const s = side as Side;
      time = Math.min(time, this.#toGateway[s].time, this.#toStation[s].time, this.gateways[s].pollTimeout());
    }
    return time;
  }

  #turn(now: Micros): void {
    this.turns++;
    while (this.#actions.time <= now) (this.#actionList[this.#actions.shift()] as (world: World) => void)(this);
    for (const { station } of this.#stations) if (station.next <= now) station.handleTimeout(now);
    this.#advanceLinks(now);
    for (const side of [0, 1] as const) this.#serveGateway(now, side);
    for (const side of [0, 1] as const) this.#serveStations(now, side);
    this.#checkSlots();
  }

  #advanceLinks(now: Micros): void {
    for (const { model, out } of this.#shared) if (model.next() <= now) model.advance(now, out);
    for (let link = 0; link < this.links.length; link++) {
      for (const side of [0, 1] as const) {
        const model = this.#link(link, side);
        if (model.next() <= now) model.advance(now, this.#output(link, side));
      }
    }
  }

  #serveGateway(now: Micros, side: Side): void {
    const gateway = this.gateways[side];
    const arrivals = this.#toGateway[side];
    while (arrivals.time <= now) {
      this.#handOver(now, side, arrivals.shift());
      this.#isDirty[side] = true;
    }
    if (gateway.pollTimeout() <= now) {
      gateway.handleTimeout(now);
      this.#isDirty[side] = true;
    }
    if (!this.#isDirty[side]) return;
    this.#isDirty[side] = false;
    // Each time another link first: none is to be favoured for its number.
    const count = this.links.length;
    for (let i = 0; i < count; i++) this.#pollDatagrams(now, side, (this.turns + i) % count);
    this.#pollPackets(now, side);
    gateway.check(now);
  }

  #pollDatagrams(now: Micros, side: Side, link: number): void {
    const gateway = this.gateways[side];
    const batch = this.#batch;
    for (;;) {
      batch.clear();
      gateway.pollDatagrams(now, link, batch);
      for (let i = 0; i < batch.count; i++) {
        const slot = this.#copy(gateway.pool, batch.at(i), this.pool);
        gateway.pool.release(batch.at(i));
        if (slot === NO_SLOT) throw this.#fault("the world has no slot left");
        this.#slotsOnLinks++;
        const shared = this.#shared.find((one) => one.side === side && one.links.has(link));
        if (shared) this.#offerShared(shared, link, slot);
        else this.#offer(link, side, slot);
      }
      if (batch.count === 0) return;
    }
  }

  #offerShared(shared: { model: LinkModel; side: Side; out: LinkOutput }, link: number, slot: Slot): void {
    const size = (this.pool.length[slot] as number) + this.gateways[shared.side].encapsulation;
    const copies = shared.model.offer(this.now, size, (slot << 8) | link, shared.out);
    this.#keep(slot, copies);
  }

  #offer(link: number, side: Side, slot: Slot): void {
    const size = (this.pool.length[slot] as number) + this.gateways[side].encapsulation;
    this.#mix(this.now, size + 4096 * link);
    this.#keep(slot, this.#link(link, side).offer(this.now, size, slot, this.#output(link, side)));
  }

  #keep(slot: Slot, copies: number): void {
    if (copies === 0) this.#releaseWire(slot);
    if (copies === 2) {
      this.pool.retain(slot);
      this.#slotsOnLinks++;
    }
  }

  #releaseWire(slot: Slot): void {
    this.#slotsOnLinks--;
    this.pool.release(slot);
  }

  /** Adds the far end of a direction. */
  #exit(link: number, from: Side): LinkOutput {
    const to = (1 - from) as Side;
    return {
      arrive: (slot) => {
        const gateway = this.gateways[to];
        const copy = this.#copy(this.pool, slot, gateway.pool);
        this.#releaseWire(slot);
        // Like a socket whose buffer is full: the datagram is lost.
        if (copy === NO_SLOT) return;
        gateway.handleDatagram(this.now, link, copy);
        this.#isDirty[to] = true;
      },
      discard: (slot) => this.#releaseWire(slot),
    };
  }

  #pollPackets(now: Micros, side: Side): void {
    const gateway = this.gateways[side];
    const batch = this.#batch;
    for (;;) {
      batch.clear();
      gateway.pollPackets(now, batch);
      for (let i = 0; i < batch.count; i++) this.#leave(now, side, gateway, batch.at(i));
      if (batch.count === 0) return;
    }
  }

  /** A packet comes out of the tunnel: it must have gone in, once. */
  #leave(now: Micros, side: Side, gateway: Gateway, from: Slot): void {
    const serial = serialOf(gateway.pool, from);
    const length = gateway.pool.length[from] as number;
    const entered = this.#entered[(1 - side) as Side];
    const known = entered.get(serial);
    if (this.#isTunnel && known === undefined) throw this.#fault(`packet ${serial} came out but is not in`);
    if (known !== undefined && known !== length)
      throw this.#fault(`packet ${serial} came out ${length} of ${known} bytes`);
    entered.delete(serial);
    this.delivered[side] = (this.delivered[side] as number) + 1;
    this.#mix(now, serial);
    const slot = this.#copy(gateway.pool, from, this.pool);
    gateway.pool.release(from);
    if (slot === NO_SLOT) throw this.#fault("the world has no slot left");
    const index = this.#byPort[side].get(portOf(this.pool, slot));
    if (index === undefined) {
      this.pool.release(slot);
      return;
    }
    const distance = this.#stations[index]?.distance ?? 0;
    this.#toStation[side].push(now + distance, slot * 256 + index);
  }

  #serveStations(now: Micros, side: Side): void {
    const queue = this.#toStation[side];
    while (queue.time <= now) {
      const item = queue.shift();
      (this.#stations[item % 256] as { station: Station }).station.handlePacket(now, Math.floor(item / 256));
    }
  }

  #enter(now: Micros, side: Side, slot: Slot, distance: Micros): void {
    this.#toGateway[side].push(now + distance, slot);
  }

  /** Takes a packet from the host into the gateway, as a TUN device: without a free slot the packet is lost. */
  #handOver(now: Micros, side: Side, slot: Slot): void {
    const gateway = this.gateways[side];
    const copy = this.#copy(this.pool, slot, gateway.pool);
    if (copy === NO_SLOT) {
      this.refused[side] = (this.refused[side] as number) + 1;
      this.pool.release(slot);
      return;
    }
    this.#entered[side].set(serialOf(this.pool, slot), this.pool.length[slot] as number);
    this.pool.release(slot);
    gateway.handlePacket(now, copy);
  }

  #copy(from: PacketPool, slot: Slot, to: PacketPool): Slot {
    const copy = to.take();
    if (copy === NO_SLOT) return NO_SLOT;
    const length = from.length[slot] as number;
    const start = from.start[slot] as number;
    to.bytes.set(from.bytes.subarray(start, start + length), to.start[copy] as number);
    to.length[copy] = length;
    return copy;
  }

  #take(): Slot {
    const slot = this.pool.take();
    if (slot === NO_SLOT) throw this.#fault("the world has no slot left");
    return slot;
  }

  #nextSerial(now: Micros): number {
    this.#serial = Math.max(this.#serial + 1, Math.floor(now));
    return this.#serial >>> 0;
  }

  #checkSlots(): void {
    const used = this.pool.count - this.pool.free;
    const transit = this.#toGateway[0].length + this.#toGateway[1].length;
    const known = transit + this.#toStation[0].length + this.#toStation[1].length + this.#slotsOnLinks;
    if (used > known) throw this.#fault(`${used} slots in use, ${known} accounted for`);
    if (this.#slotsOnLinks < 0) throw this.#fault("more slots left the links than entered");
  }

  #mix(a: number, b: number): void {
    this.trace = Math.imul(this.trace ^ (a | 0), 0x01000193);
    this.trace = Math.imul(this.trace ^ (b | 0), 0x01000193) >>> 0;
  }

  #fault(what: string): Error {
    return new Error(`${what} (seed ${this.seed}, at ${this.now} µs)`);
  }
}
