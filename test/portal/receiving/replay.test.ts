import { describe, expect, test } from "bun:test";
import type { TunnelSettings } from "../../../src/portal/settings.ts";
import { TYPE } from "../../../src/wire/datagram.ts";
import { counting } from "../../support/bytes.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { End, keysOf, Pair } from "../pair.ts";

const [A, B] = [1, 2].map((n) => counting(32, 40 * n)) as [Uint8Array, Uint8Array];
const SHARED: Partial<TunnelSettings> = { security: "auto" };
const INTEGRITY: Partial<TunnelSettings> = { security: "blake2s" };

type Settings = readonly [a: Partial<TunnelSettings>, b: Partial<TunnelSettings>];
const KINDS: readonly (readonly [string, Settings])[] = [
  ["key pairs", [keysOf(A, B), keysOf(B, A)]],
  ["a shared key", [SHARED, SHARED]],
  ["blake2s", [INTEGRITY, INTEGRITY]],
];
const RESTARTS = ["a", "b", "a and b"];
const LINKS = [0, 1];
const PACKETS = 30;

function listen(pair: Pair): void {
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
}

function initiate(pair: Pair): void {
  for (const id of LINKS) pair.a.portal.addLink(pair.now, linkSettings(id, "initiate"));
}

function open(pair: Pair): void {
  listen(pair);
  initiate(pair);
}

/** Exchanges and packets both ways, all of it recorded in `pair.seen`. */
function talk(pair: Pair): void {
  pair.run(100_000);
  for (let i = 0; i < PACKETS; i++) {
    pair.a.offer(pair.now, udpPacket(i));
    pair.b.offer(pair.now, udpPacket(i));
    pair.run(2_000);
  }
  pair.run(200_000);
}

/** Everything that was ever recorded, to whom it was meant, from where it came. */
function replay(pair: Pair, record: Pair["seen"]): void {
  for (const { from, bytes, link } of record) {
    const [to, remote] = from === pair.a ? [pair.b, pair.a.address.slice()] : [pair.a, pair.b.address];
    if (from === pair.a) new DataView(remote.buffer).setUint16(2, 1_000 + link);
    pair.inject(to, bytes, remote, from === pair.a ? 0 : link);
  }
}

function countOf(seen: Pair["seen"], type: number): number {
  return seen.filter(({ bytes }) => (bytes[0] as number) >> 4 === type).length;
}

/** Two portals that have talked; their record; and those of them started anew that `restarted` names. */
function recorded([a, b]: Settings, restarted: string): { pair: Pair; record: Pair["seen"]; anew: End[] } {
  const pair = new Pair(new End("192.0.2.1", 1, a), new End("192.0.2.2", 2, b));
  open(pair);
  talk(pair);
  expect([pair.a.delivered.length, pair.b.delivered.length]).toEqual([PACKETS, PACKETS]);
  for (const end of [pair.a, pair.b]) end.delivered.length = 0;
  const anew: End[] = [];
  if (restarted.startsWith("a")) anew.push(restart(pair.a, 71, a));
  if (restarted.endsWith("b")) anew.push(restart(pair.b, 72, b));
  return { pair, record: pair.seen.splice(0), anew };
}

function restart(end: End, seed: number, settings: Partial<TunnelSettings>): End {
  end.restart(seed, settings);
  return end;
}

function pathsOf(pair: Pair): unknown {
  return [pair.a, pair.b].map(({ portal }) => portal.paths.map(({ id, remote }) => [id, remote.toHex()]));
}

describe.each(KINDS)("What was recorded under %s and is played back after a restart", (_name, settings) => {
  test.each(RESTARTS)("of %s gives the hosts nothing and brings no path up", (restarted) => {
    const { pair, record, anew } = recorded(settings, restarted);
    // The real peers are cut off, so that all that happens is the attacker's.
    for (const link of LINKS) pair.cut.add(link);
    if (anew.includes(pair.b)) listen(pair);
    if (anew.includes(pair.a)) initiate(pair);
    pair.run(1_000);
    for (let round = 0; round < 2; round++) {
      replay(pair, record);
      pair.run(500_000);
    }
    expect([pair.a.delivered, pair.b.delivered]).toEqual([[], []]);
    const states = anew.flatMap(({ portal }) => portal.paths.map((path) => path.state));
    expect(states.filter((state) => state !== "exchanging")).toEqual([]);
    pair.run(6_000_000);
    if (anew.includes(pair.b)) expect(pair.b.portal.paths).toEqual([]);
  });

  test("of both leaves the new session of the real peers alone", () => {
    const { pair, record } = recorded(settings, "a and b");
    open(pair);
    talk(pair);
    const paths = pathsOf(pair);
    for (const end of [pair.a, pair.b]) end.delivered.length = 0;
    const answered = countOf(pair.seen, TYPE.EXCHANGE_RESPONSE);
    replay(pair, record);
    pair.run(200_000);
    expect([pair.a.delivered, pair.b.delivered]).toEqual([[], []]);
    // A path that the replay of an initiation opened is not confirmed, and goes.
    expect(countOf(pair.seen, TYPE.EXCHANGE_RESPONSE) - answered).toBeLessThanOrEqual(
      countOf(record, TYPE.EXCHANGE_INITIATION),
    );
    pair.run(6_000_000);
    expect(pathsOf(pair)).toEqual(paths);
    pair.a.offer(pair.now, udpPacket(99));
    pair.run(50_000);
    expect(pair.b.delivered).toHaveLength(1);
  });
});
