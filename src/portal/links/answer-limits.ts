/**
 * Decides which initiations are worth the work of a handshake. While they are few, all are; under load only those that show a cookie, and
 * those of one network at a limited rate. As in WireGuard the limit is by network, not for all: a flood from made-up addresses shows no
 * cookies, and one from real addresses uses up the share of its own networks (IPv4 /32, IPv6 /64).
 */
import type { Micros } from "../../clock.ts";
import { type Endpoint, networkOf } from "../../endpoint.ts";
import { TokenBucket } from "../../token-bucket.ts";

/** Handshakes per second for all networks that are not trusted: a tenth of a small server's core. */
const HANDSHAKES = { rate: 200, burst: 100 } as const;
/** Handshakes left below which the listener is under load. Without cookies nobody gets these. */
const UNDER_LOAD = 50;
/** Handshakes per second of one network under load; WireGuard's rate, and enough at once for 20 links behind one address. */
const BY_NETWORK = { rate: 20, burst: 20 } as const;
/** Networks whose use is remembered; a forgotten one has its full burst again. */
const NETWORKS = 4_096;
/** Networks of the peer's last paths; these do not share the handshakes of all. */
const TRUSTED = 16;

export class AnswerLimits {
  readonly #all = new TokenBucket(HANDSHAKES.burst);
  readonly #networks = new Map<string, TokenBucket>();
  readonly #trusted = new Set<string>();

  /** True if an initiation without a cookie may cost a handshake now. */
  isIdle(now: Micros): boolean {
    return this.#left(now) >= UNDER_LOAD;
  }

  /** Spends the handshake of an initiation without a cookie. */
  spend(): void {
    this.#all.spend(1);
  }

  /** Spends a handshake of the network of `remote`, which has shown a cookie; returns false if it has none left. */
  spendOf(now: Micros, remote: Endpoint): boolean {
    const network = networkOf(remote);
    const bucket = this.#networks.get(network) ?? new TokenBucket(BY_NETWORK.burst);
    putLast(this.#networks, network, bucket, NETWORKS);
    if (bucket.fill(now, BY_NETWORK.rate, BY_NETWORK.burst) < 1) return false;
    if (!this.#trusted.has(network)) {
      if (this.#left(now) < 1) return false;
      this.#all.spend(1);
    }
    bucket.spend(1);
    return true;
  }

  /** Trusts the network of an authentic path, so that a portal which reconnects does not compete with a flood. */
  trust(remote: Endpoint): void {
    const network = networkOf(remote);
    this.#trusted.delete(network);
    this.#trusted.add(network);
    if (this.#trusted.size > TRUSTED) this.#trusted.delete(this.#trusted.values().next().value as string);
  }

  #left(now: Micros): number {
    return this.#all.fill(now, HANDSHAKES.rate, HANDSHAKES.burst);
  }
}

/** Puts an entry at the end of the map, and removes the first one if there are more than `most`. */
function putLast<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as string);
}
