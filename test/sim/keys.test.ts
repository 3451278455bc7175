import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import type { PacketBatch } from "../../src/memory/packet-batch.ts";
import type { Slot } from "../../src/memory/packet-pool.ts";
import { KEY_LIMITS } from "../../src/portal/settings.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { indexOf, packetNumberOf, TYPE, typeOf } from "../../src/wire/datagram.ts";
import { PortalGateway } from "./portal-gateway.ts";
import { drops, epochs, expectNoLoss, OFTEN, PAIR_A, PAIR_B, pairedWorld, seed, UNRULY } from "./rekeyed-worlds.ts";
import { addUdp, lostNumbers, portalOf, tunnelWorld } from "./scenarios.ts";

const SECOND = MICROS_PER_SECOND;
/** Loss of the link; of so few packets half as many again may be lost by chance. */
const LOSS = 0.05;

describe(`keys that change (NC_SEED=${seed})`, () => {
  test("a hundred times lose no packet, though datagrams overtake each other", () => {
    expectNoLoss(100);
  });

  test.each(["aes-256-gcm", "chacha20-poly1305", "blake2s"] as const)(
    "lose with %s no more than the link does, under keys of a shared key alone",
    (security) => {
      const options = { security, tunnel: { keyLimits: OFTEN }, scheduling: "greedy" } as const;
      const world = tunnelWorld([{ ...UNRULY, loss: LOSS }], { seed, portal: options });
      const flow = addUdp(world, { rate: 1e6, startAt: SECOND, endAt: 6 * SECOND });
      world.run(7 * SECOND);
      // 5 s of changes 45 ms apart, or later where one of its messages is lost and repeated.
      expect(epochs(world, 0)[0]).toBeGreaterThan(40);
      for (const side of [0, 1] as const) expect(drops(world, side)).toEqual({});
      expect(lostNumbers(flow).length).toBeLessThan(1.6 * LOSS * flow.from.sent);
      expect(portalOf(world, 0).portal.paths[0]?.recovery.lostPackets).toBeGreaterThan(0);
    },
  );

  test("change after so many datagrams either way", () => {
    for (const from of [0, 1] as const) {
      const keyLimits = { ...KEY_LIMITS, rekeyAfterDatagrams: 200, endAfterDatagrams: 1_000 };
      const world = pairedWorld([UNRULY], { keyLimits }, "aes-256-gcm");
      const flow = addUdp(world, { rate: 4e6, startAt: SECOND, endAt: 5 * SECOND, from });
      world.run(6 * SECOND);
      // 500 a second for 4 s, and the keys change every 200: ten times, less the round trips in which both are valid.
      expect(flow.from.sent).toBeGreaterThan(1_200);
      expect(epochs(world, 1)[0]).toBeWithin(7, 12);
      expect(lostNumbers(flow)).toEqual([]);
    }
  });

  test("are not used beyond their time when the peer does not answer", () => {
    const keyLimits = { ...KEY_LIMITS, rekeyAfter: 3 * SECOND, endAfter: 5 * SECOND };
    const world = pairedWorld([UNRULY], { keyLimits }, "aes-256-gcm");
    world.run(2 * SECOND);
    world.cut(0);
    world.run(6 * SECOND);
    for (const side of [0, 1] as const) {
      expect(portalOf(world, side).portal.paths).toHaveLength(0);
      expect(portalOf(world, side).logs.join("\n")).toContain("its keys expired before a rekey was done");
    }
  });

  test("stay as they are without security", () => {
    const world = tunnelWorld([UNRULY], { seed, portal: { security: "none", tunnel: { keyLimits: OFTEN } } });
    world.run(4 * SECOND);
    expect(epochs(world, 0)).toEqual([0]);
  });

  test("never seal a packet number twice: not across changes, nor after a restart", () => {
    const world = pairedWorld([UNRULY, UNRULY], { keyLimits: OFTEN }, "aes-256-gcm");
    const [first, second] = [new Recorder(1), new Recorder(2)];
    world.replace(0, first);
    const flow = addUdp(world, { rate: 4e6, startAt: SECOND, endAt: 8 * SECOND });
    world.at(4 * SECOND, (w) => w.replace(0, second));
    world.run(9 * SECOND);
    // 7 s, of which the restart costs less than one.
    expect(flow.to.numbers.length).toBeGreaterThan(0.8 * flow.from.sent);
    for (const { sealed } of [first, second]) {
      expect(sealed.size).toBeGreaterThanOrEqual(2);
      for (const numbers of sealed.values()) {
        // Of each path, in the 3 s and more that each run lasts: half of 500 a second at the least.
        expect(numbers.length).toBeGreaterThan(100);
        // One is left out now and then.
        expect(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number))).toBe(true);
      }
    }
    // A path of after the restart has another index, and keys of another exchange.
    for (const index of second.sealed.keys()) expect(first.sealed.has(index)).toBe(false);
  });
});

/** Notes the packet number of every datagram it sends, by receiver index. */
class Recorder extends PortalGateway {
  readonly sealed = new Map<number, number[]>();

  constructor(start: number) {
    super({
      side: 0,
      links: 2,
      role: "initiate",
      seed: seed + start,
      security: "aes-256-gcm",
      scheduling: "greedy",
      tunnel: {
        keyLimits: OFTEN,
        sharedKey: undefined,
        privateKey: PAIR_A,
        peerKey: new KeyPair(PAIR_B).publicKey,
      },
    });
  }

  override pollDatagrams(now: Micros, link: number, out: PacketBatch): number {
    const before = out.count;
    super.pollDatagrams(now, link, out);
    for (let i = before; i < out.count; i++) this.#note(out.at(i));
    return out.count;
  }

  #note(slot: Slot): void {
    const start = this.pool.start[slot] as number;
    if (typeOf(this.pool.view, start) !== TYPE.TRANSPORT) return;
    const index = indexOf(this.pool.view, start);
    this.sealed.set(index, [...(this.sealed.get(index) ?? []), packetNumberOf(this.pool.view, start)]);
  }
}
