/** Worlds and measurements that several tests and comparisons want. */
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import type { Family, Side } from "../support/packets/slots.ts";
import { SeededRandom } from "../support/random.ts";
import { PassThrough } from "./gateway.ts";
import type { LinkShape } from "./link-model.ts";
import { DISSERTATION, PortalGateway, type PortalOptions } from "./portal-gateway.ts";
import { Bbr } from "./senders/bbr.ts";
import { Cubic } from "./senders/cubic.ts";
import { UdpReceiver, UdpSender } from "./senders/datagrams.ts";
import type { InnerControl } from "./senders/inner-control.ts";
import { PingPong } from "./senders/ping-pong.ts";
import { Tcp, type TcpOptions } from "./senders/tcp.ts";
import { World } from "./world.ts";

/** Returns the seed of a run: NC_SEED, or the one given. */
export function seedOr(otherwise: number): number {
  const text = process.env.NC_SEED;
  return text === undefined || text === "" ? otherwise : Number(text);
}

/** Hosts with bare links between them, used in turn. */
export function bareWorld(shapes: readonly Partial<LinkShape>[], seed: number): World {
  const links = shapes.map((shape) => ({ out: shape, back: shape }));
  const gateway = (): PassThrough => new PassThrough(new PacketPool(4096, 1920), links.length);
  return new World({ seed, links, gateway, isTunnel: false });
}

export interface TunnelOptions {
  readonly seed: number;
  /** Options of both portals. */
  readonly portal?: Partial<PortalOptions>;
  /** Side 0 initiates and side 1 listens unless told otherwise. */
  readonly sides?: readonly [Partial<PortalOptions>, Partial<PortalOptions>];
}

/** Returns the same options for the dissertation's portals. */
export function dissertation(options: TunnelOptions): TunnelOptions {
  return { ...options, portal: { ...DISSERTATION, ...options.portal } };
}

/** Returns a portal on either side of the links, each link the same in both directions. */
export function tunnelWorld(shapes: readonly Partial<LinkShape>[], options: TunnelOptions): World {
  const links = shapes.map((shape) => ({ out: shape, back: shape }));
  const gateway = (side: Side): PortalGateway => createPortal(shapes.length, side, options, 0);
  return new World({ seed: options.seed, links, gateway });
}

/** Returns a portal as `tunnelWorld` makes it; `start` counts its starts, as each draws other random values. */
export function createPortal(links: number, side: Side, options: TunnelOptions, start: number): PortalGateway {
  const seed = Math.imul(options.seed, 1_000_003) + 2 * start + side;
  const role = side === 0 ? "initiate" : "listen";
  return new PortalGateway({ role, ...options.portal, ...options.sides?.[side], side, links, seed });
}

/** Returns the portal of a side of a world that has portals. */
export function portalOf(world: World, side: Side): PortalGateway {
  const gateway = world.gateways[side];
  if (gateway instanceof PortalGateway) return gateway;
  throw new Error("no portal on this side");
}

/** Constant-rate UDP from one side to the other. */
export interface UdpFlow {
  readonly from: UdpSender;
  readonly to: UdpReceiver;
}

export interface UdpFlowOptions {
  readonly rate: number;
  readonly startAt: Micros;
  readonly endAt: Micros;
  readonly from?: Side;
  readonly port?: number;
  readonly size?: number;
  readonly family?: Family;
  readonly tos?: number;
}

export function addUdp(world: World, options: UdpFlowOptions): UdpFlow {
  const { from = 0, port = 7001 } = options;
  const full = { port, peerPort: port, family: 4 as const, size: 1000, ...options };
  const sender = world.add(from, (outlet) => new UdpSender(outlet, full));
  return { from: sender, to: world.add((1 - from) as Side, (outlet) => new UdpReceiver(outlet, port)) };
}

/** Returns the numbers of the packets that did not arrive. */
export function lostNumbers(flow: UdpFlow): number[] {
  const arrived = new Set(flow.to.numbers);
  return Array.from({ length: flow.from.sent }, (_, n) => n).filter((n) => !arrived.has(n));
}

/** Returns the longest time between two arrivals. */
export function longestGap(flow: UdpFlow): Micros {
  const times = flow.to.sentAt.map((sent, i) => sent + (flow.to.delays[i] as number)).sort((a, b) => a - b);
  return times.reduce((gap, time, i) => (i === 0 ? 0 : Math.max(gap, time - (times[i - 1] as number))), 0);
}

/** One TCP transfer and what is measured of it. */
export interface Bulk {
  readonly from: Tcp;
  readonly to: Tcp;
  /** Bytes received in order by the end of each interval. */
  readonly series: number[];
}

export interface BulkOptions {
  readonly from?: Side;
  readonly port?: number;
  readonly control?: InnerControl;
  readonly startAt?: Micros;
  /** One-way delay between the far gateway and the server. */
  readonly distance?: Micros;
  readonly sampleEvery?: Micros;
  readonly tcp?: Partial<TcpOptions>;
}

/** Adds a TCP flow without end; the host on side 0 connects, whichever side sends. */
export function addBulk(world: World, options: BulkOptions = {}): Bulk {
  const { from = 0, port = 5001, control = new Cubic(), startAt = 0, distance = 0 } = options;
  const shared = { ...options.tcp, coalesce: options.tcp?.coalesce ?? false };
  const client = world.add(0, (outlet) => {
    const own = from === 0 ? { control } : {};
    return new Tcp(outlet, { ...shared, ...own, port, peerPort: port, role: "connect", startAt });
  });
  const server = world.add(
    1,
    (outlet) =>
      new Tcp(outlet, { ...shared, ...(from === 1 ? { control } : {}), port, peerPort: port, role: "listen" }),
    distance,
  );
  const [sender, receiver] = from === 0 ? [client, server] : [server, client];
  sender.write(world.now, Number.POSITIVE_INFINITY);
  const series: number[] = [];
  world.every(options.sampleEvery ?? MICROS_PER_SECOND / 10, () => series.push(receiver.receiver.bytes));
  return { from: sender, to: receiver, series };
}

/** Adds a TCP ping/pong between the host on side 0 and the one on side 1. */
export function addPingPong(world: World, startAt: Micros, port = 6001, distance: Micros = 0): PingPong {
  const client = world.add(0, (outlet) => new Tcp(outlet, { port, peerPort: port, role: "connect", startAt }));
  const server = world.add(1, (outlet) => new Tcp(outlet, { port, peerPort: port, role: "listen" }), distance);
  const pingPong = new PingPong(client, server);
  world.at(startAt, (w) => pingPong.start(w.now));
  return pingPong;
}

export function innerControl(name: "cubic" | "bbr", seed: number): InnerControl {
  return name === "cubic" ? new Cubic() : new Bbr(new SeededRandom(seed));
}

/** Returns the bits per second of a transfer between two times of the samples, which are `every` apart. */
export function goodput(bulk: Bulk, from: Micros, until: Micros, every: Micros = MICROS_PER_SECOND / 10): number {
  const at = (time: Micros): number => bulk.series[Math.round(time / every)] ?? bulk.to.receiver.bytes;
  return ((at(until) - at(from)) * 8 * MICROS_PER_SECOND) / (until - from);
}

/** Returns the value below which the share `p` of `values` lies; NaN for none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}
