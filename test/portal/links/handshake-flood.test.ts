import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { MICROS_PER_SECOND, type Micros } from "../../../src/clock.ts";
import { type Endpoint, sameAddress, setEndpoint } from "../../../src/endpoint.ts";
import { AddressKeys, mac2 } from "../../../src/exchange/cookies.ts";
import { KeyedBlake2s } from "../../../src/security/blake2s.ts";
import { KeyPair } from "../../../src/security/x25519.ts";
import { TYPE } from "../../../src/wire/datagram.ts";
import { MAC_SIZE } from "../../../src/wire/exchange-messages.ts";
import { counting } from "../../support/bytes.ts";
import { TEST_MILLIS } from "../../support/limits.ts";
import { linkSettings, type SendEvent } from "../../support/portal-end.ts";
import { SeededRandom } from "../../support/random.ts";
import { End, keysOf } from "../pair.ts";

const [A, B] = [counting(32, 40), counting(32, 80)];
const LISTENER_KEY = new KeyPair(B).publicKey;

/** Time of the listener's processor, µs, on one core of a small server: an agreement with its share of the handshake's hashes and ciphers. */
const COST = { datagram: 12, hash: 4, agreement: 250 } as const;
/** Datagrams that wait in the listener's socket; what comes when it is full is lost. */
const BUFFER = 1_000;
const STEP: Micros = 1_000;
const DELAY: Micros = 10_000;
/** Initiations of the flood in a step: 10,000 a second from made-up addresses, 2,500 from real ones of one network. */
const SPOOFED = 10;
const REAL = 2.5;
const TRIES = 20;
const LIMIT: Micros = 3 * MICROS_PER_SECOND;
const LEAD: Micros = MICROS_PER_SECOND / 5;

interface Datagram {
  readonly bytes: Uint8Array;
  readonly remote: Endpoint;
}

/** Makes an initiation of the flood; `n` counts them. */
type Forge = (n: number) => Uint8Array;

/** An operation that costs time of the processor, and how often it was done. */
interface Charged {
  readonly count: () => number;
  readonly cost: Micros;
}

/** A listener that a portal wants to reach while it is flooded, in virtual time with a processor that can be busy. */
class Flooded {
  now: Micros = MICROS_PER_SECOND;
  readonly listener = new End("192.0.2.2", 2, keysOf(B, A));
  readonly portal = new End("192.0.2.1", 1, keysOf(A, B));
  readonly sent: Uint8Array[] = [];
  forge: Forge | undefined;
  busy: Micros = 0;
  #busyUntil: Micros = 0;
  #count = 0;
  #due = 0;
  readonly #inbox: Datagram[] = [];
  readonly #flights: (Datagram & { readonly at: Micros; readonly to: End })[] = [];
  readonly #cookies = new Map<string, Uint8Array>();
  readonly #keys = new AddressKeys(LISTENER_KEY);
  readonly #random = new SeededRandom(3);
  readonly #spies: readonly Charged[];

  constructor(spies: readonly Charged[]) {
    this.#spies = spies;
    const { listener, portal } = this;
    listener.network = { open: () => this.#open(listener), send: (event) => this.#answer(event) };
    portal.network = { open: () => this.#open(portal), send: ({ message }) => this.#ask(message) };
    listener.portal.addLink(this.now, linkSettings(0, "listen"));
    this.run(10 * STEP);
  }

  /** Starts the portal, as after a restart, and returns how long it takes to connect; `LIMIT` at most. */
  connect(seed: number): Micros {
    const { portal, now } = this;
    portal.restart(seed, keysOf(A, B));
    this.#flights.length = 0;
    portal.portal.addLink(now, linkSettings(0, "initiate"));
    while (portal.portal.paths[0]?.state !== "up" && this.now < now + LIMIT) this.run(STEP);
    return this.now - now;
  }

  run(time: Micros): void {
    const end = this.now + time;
    for (; this.now < end; this.now += STEP) {
      this.#flood();
      this.#land();
      this.#work();
      for (const each of [this.listener, this.portal]) {
        each.portal.handleTimeout(this.now);
        this.#poll(each);
      }
    }
  }

  #open(end: End): void {
    const remote = end === this.portal ? this.listener.address : new Uint8Array(24);
    end.portal.handleOpened(this.now, 0, 1, 0, remote, end.address);
  }

  #ask(bytes: Uint8Array): void {
    this.sent.push(bytes.slice());
    this.#flights.push({ at: this.now + DELAY, to: this.listener, bytes: bytes.slice(), remote: this.portal.address });
  }

  /** Carries what the listener sends to the portal; the flood's real addresses read their cookies. */
  #answer({ message, remote }: SendEvent): void {
    if (sameAddress(remote, this.portal.address)) {
      this.#flights.push({ at: this.now + DELAY, to: this.portal, bytes: message, remote: this.listener.address });
    } else if ((message[0] as number) >>> 4 === TYPE.EXCHANGE_COOKIE && remote[0] === 6) {
      this.#cookies.set(remote.toHex(), message);
    }
  }

  #flood(): void {
    if (!this.forge) return;
    for (let i = 0; i < SPOOFED; i++) {
      const remote = new Uint8Array(24);
      setEndpoint(remote, 4, this.#address(4), 4725);
      this.#arrive({ bytes: this.forge(this.#count++), remote });
    }
    for (this.#due += REAL; this.#due >= 1; this.#due--) this.#arrive(this.#realInitiation(this.forge(this.#count++)));
  }

  #address(size: number): Uint8Array {
    const address = new Uint8Array(size);
    this.#random.bytes(address);
    return address;
  }

  /** Returns an initiation from one of 64 addresses of a network, with its cookie if it has one for these bytes. */
  #realInitiation(bytes: Uint8Array): Datagram {
    const address = Uint8Array.fromHex("20010db8000000010000000000000000").with(15, this.#random.below(64));
    const remote = new Uint8Array(24);
    setEndpoint(remote, 6, address, 4725);
    const sealed = this.#cookies.get(remote.toHex());
    const at = bytes.length - 2 * MAC_SIZE;
    const cookie = sealed && this.#keys.openCookie(sealed, bytes.subarray(at, at + MAC_SIZE));
    const shown = bytes.slice();
    if (cookie) shown.set(mac2(cookie, shown), at + MAC_SIZE);
    return { bytes: shown, remote };
  }

  #land(): void {
    for (const flight of this.#flights.filter(({ at }) => at <= this.now)) {
      this.#flights.splice(this.#flights.indexOf(flight), 1);
      if (flight.to === this.listener) this.#arrive(flight);
      else this.portal.receive(this.now, 0, flight.bytes, flight.remote, this.portal.address);
    }
    this.portal.handleEvents(this.now);
  }

  #arrive(datagram: Datagram): void {
    if (this.#inbox.length < BUFFER) this.#inbox.push(datagram);
  }

  /** Lets the listener take datagrams for as long as its processor has time in this step. */
  #work(): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.now);
    while (this.#busyUntil < this.now + STEP) {
      const datagram = this.#inbox.shift();
      if (!datagram) return;
      const before = this.#spent();
      this.listener.receive(this.now, 0, datagram.bytes, datagram.remote, this.listener.address);
      this.listener.handleEvents(this.now);
      const cost = COST.datagram + this.#spent() - before;
      this.#busyUntil += cost;
      this.busy += cost;
    }
  }

  #spent(): Micros {
    return this.#spies.reduce((sum, { count, cost }) => sum + count() * cost, 0);
  }

  #poll(end: End): void {
    end.batch.count = 0;
    for (const path of end.portal.paths) end.portal.pollDatagrams(this.now, path, end.batch);
    for (let i = 0; i < end.batch.count; i++) {
      const slot = end.batch.at(i);
      const start = end.pool.start[slot] as number;
      const bytes = end.pool.bytes.slice(start, start + (end.pool.length[slot] as number));
      const to = end === this.portal ? this.listener : this.portal;
      this.#flights.push({ at: this.now + DELAY, to, bytes, remote: end.address });
      end.pool.release(slot);
    }
    end.handleEvents(this.now);
  }
}

describe("A listener under 12,500 initiations a second", () => {
  let agreements: { mock: { calls: unknown[] }; mockRestore(): void };
  let hashes: typeof agreements;

  beforeAll(() => {
    agreements = spyOn(KeyPair.prototype, "agree");
    hashes = spyOn(KeyedBlake2s.prototype, "compute");
  });
  afterAll(() => {
    agreements.mockRestore();
    hashes.mockRestore();
  });

  /** Returns how often the portal connects in time, and the share of the time for which the listener was busy. */
  function flood(forge: (captured: Uint8Array) => Forge): { readonly connected: number; readonly busy: number } {
    const world = new Flooded([
      { count: () => agreements.mock.calls.length, cost: COST.agreement },
      { count: () => hashes.mock.calls.length, cost: COST.hash },
    ]);
    world.connect(1);
    world.run(100 * STEP);
    world.forge = forge(
      world.sent.find((bytes) => (bytes[0] as number) >>> 4 === TYPE.EXCHANGE_INITIATION) as Uint8Array,
    );
    const from = world.now;
    world.busy = 0;
    world.run(LEAD);
    const times = Array.from({ length: TRIES }, (_, i) => world.connect(10 + i));
    const busy = world.busy / (world.now - from);
    return { connected: times.filter((time) => time < LIMIT).length, busy };
  }

  test(
    "that are one captured initiation connects a portal in 20 of 20 tries",
    () => {
      const { connected, busy } = flood((captured) => () => captured);
      expect(connected).toBe(TRIES);
      expect(busy).toBeLessThan(0.25);
    },
    TEST_MILLIS,
  );

  test(
    "that are made up by somebody who knows its public key connects a portal in 20 of 20 tries",
    () => {
      const keys = new AddressKeys(LISTENER_KEY);
      const { connected, busy } = flood((captured) => (n) => {
        const bytes = captured.slice();
        new DataView(bytes.buffer).setUint32(8, n);
        const end = bytes.length - 2 * MAC_SIZE;
        bytes.set(keys.mac1(bytes.subarray(0, end)), end);
        return bytes;
      });
      expect(connected).toBe(TRIES);
      expect(busy).toBeLessThan(0.6);
    },
    TEST_MILLIS,
  );
});
