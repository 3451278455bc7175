// @hot
/**
 * Checks the addresses of packets, as WireGuard's cryptokey routing does: the source of a packet out of the tunnel must belong to the peer, and the
 * destination of a packet into it. Traffic between neighbours passes in neither direction.
 */
import { DROP } from "../drops.ts";
import { addressOf, parseEndpoint } from "../endpoint.ts";
import type { PacketPool } from "../memory/packet-pool.ts";
import type { ParsedHeader } from "../wire/ip.ts";
import { isForNeighbours } from "../wire/neighbour.ts";
import { type Prefix, PrefixTable } from "./prefix-table.ts";

export interface AllowedNetwork {
  /** IPv4 or IPv6 address, and the length of the prefix in bits. */
  readonly address: string;
  readonly prefix: number;
  /** False for a network of this side, within a larger one of the peer's. */
  readonly isPeers: boolean;
}

/** Every address is the peer's: used where nothing is known of either side. */
const ALL_NETWORKS: readonly AllowedNetwork[] = [
  { address: "0.0.0.0", prefix: 0, isPeers: true },
  { address: "::", prefix: 0, isPeers: true },
];

/** Offset of the source address in the header. */
const SOURCE_FOUR = 12;
const SOURCE_SIX = 8;

type Packets = Pick<PacketPool, "view" | "bytes">;

const OWN = 1;
const PEER = 2;

export class AllowedIps {
  readonly #four: PrefixTable;
  readonly #six: PrefixTable;

  /** @param networks of two that are alike, the later one counts */
  constructor(networks: readonly AllowedNetwork[] = ALL_NETWORKS) {
    this.#four = new PrefixTable(prefixesOf(networks, 4));
    this.#six = new PrefixTable(prefixesOf(networks, 16));
  }

  /** Returns 0 if the packet at `start` may come out of the tunnel, or the index of the reason to drop it. */
  checkInbound(pool: Packets, start: number, parsed: ParsedHeader): number {
    if (isForNeighbours(pool.view, start, parsed)) return DROP["packet-neighbour"];
    const isPeers = this.#isPeers(pool.bytes, start, parsed, 0);
    return isPeers ? 0 : DROP["packet-source"];
  }

  /** Returns 0 if the packet at `start` may go into the tunnel, or the index of the reason to drop it. */
  checkOutbound(pool: Packets, start: number, parsed: ParsedHeader): number {
    if (isForNeighbours(pool.view, start, parsed)) return DROP["packet-neighbour"];
    const isPeers = this.#isPeers(pool.bytes, start, parsed, 1);
    return isPeers ? 0 : DROP["packet-destination"];
  }

  /** @param which 0 for the source address, 1 for the destination, which follows it */
  #isPeers(bytes: Uint8Array, start: number, parsed: ParsedHeader, which: number): boolean {
    const owner =
      parsed.version === 4
        ? this.#four.find(bytes, start + SOURCE_FOUR + which * 4, 4)
        : this.#six.find(bytes, start + SOURCE_SIX + which * 16, 16);
    return owner === PEER;
  }
}

function prefixesOf(networks: readonly AllowedNetwork[], size: number): Prefix[] {
  return networks.flatMap(({ address, prefix, isPeers }) => {
    const endpoint = parseEndpoint(address);
    const bytes = endpoint && addressOf(endpoint);
    return bytes?.length === size ? [{ bytes, length: prefix, owner: isPeers ? PEER : OWN }] : [];
  });
}
