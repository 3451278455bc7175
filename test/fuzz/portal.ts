/**
 * A whole portal under fuzz: an attacker who sees and repeats what passes (blake2s), and a peer that has the keys and is hostile (none:
 * everything it says is authentic).
 */
import { parseEndpoint } from "../../src/endpoint.ts";
import type { Path } from "../../src/path/path.ts";
import type { SecurityName, TunnelSettings } from "../../src/portal/settings.ts";
import { ABANDON_SIZE } from "../../src/wire/abandon.ts";
import { ACK_SIZE, Ack } from "../../src/wire/ack.ts";
import { CHALLENGE_SIZE } from "../../src/wire/challenge.ts";
import { DATA_SIZE, writeData } from "../../src/wire/data.ts";
import { TYPE, writeHeader } from "../../src/wire/datagram.ts";
import { FRAGMENT_SIZE, Fragment } from "../../src/wire/fragment.ts";
import { HOLD_SIZE } from "../../src/wire/hold.ts";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { LINK_SIZE, writeLink } from "../../src/wire/link-limits.ts";
import { MESSAGE } from "../../src/wire/message-types.ts";
import { REKEY_SIZE, writeRekey } from "../../src/wire/rekey.ts";
import { End, Pair } from "../portal/pair.ts";
import { counting } from "../support/bytes.ts";
import { join, udpPacket } from "../support/packets/build.ts";
import { linkSettings } from "../support/portal-end.ts";
import type { SeededRandom } from "../support/random.ts";
import { PORTAL_BUDGET } from "./budget.ts";
import { mutate } from "./mutate.ts";
import { PACKETS } from "./packets.ts";
import { check, type Target } from "./target.ts";

const LINKS = 2;
const ELSEWHERE = parseEndpoint("198.51.100.7", 9) as Uint8Array;

/** Two connected portals that have talked; equal every time, so that recorded datagrams fit any of them. */
export function talkedPair(settings: Partial<TunnelSettings>): Pair {
  const pair = new Pair(new End("192.0.2.1", 1, settings), new End("192.0.2.2", 2, settings));
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen", { congestion: "rate" }));
  for (let id = 0; id < LINKS; id++) {
    const congestion = id === 0 ? "newreno" : "rate";
    pair.a.portal.addLink(pair.now, linkSettings(id, "initiate", { congestion }));
  }
  pair.run(100_000);
  for (let i = 0; i < 20; i++) {
    pair.a.offer(pair.now, udpPacket(i));
    pair.b.offer(pair.now, udpPacket(i));
    pair.run(2_000);
  }
  pair.run(200_000);
  return pair;
}

function record(security: SecurityName): Uint8Array[] {
  const bytes = talkedPair({ security }).seen.map((datagram) => datagram.bytes);
  return bytes.filter((datagram, i) => i < 30 || datagram.length < 60 || i % 7 === 0);
}

export function dataMessage(packet: Uint8Array, sequence: number): Uint8Array {
  const head = new Uint8Array(DATA_SIZE);
  writeData(new DataView(head.buffer), 0, 0, 5, sequence & 1, sequence);
  return join(head, packet);
}

/** Returns fragment `part` of two of a packet. */
export function fragmentMessage(packet: Uint8Array, sequence: number, part: number): Uint8Array {
  const fragment = Object.assign(new Fragment(), { bucket: 5, class: 0, sequence });
  fragment.place(part, 2, packet.length);
  const head = new Uint8Array(FRAGMENT_SIZE);
  fragment.write(new DataView(head.buffer), 0);
  return join(head, packet.subarray(fragment.offset, fragment.offset + fragment.size));
}

function ackMessage(index: number): Uint8Array {
  const ack = Object.assign(new Ack(), { index, ack: 3, nack: 1, largest: 8, ranges: 2 });
  ack.pairs.set([0, 2, 1, 2]);
  const out = new Uint8Array(ack.size);
  ack.write(new DataView(out.buffer), 0);
  return out;
}

function linkMessage(limit: number): Uint8Array {
  const out = new Uint8Array(LINK_SIZE);
  writeLink(new DataView(out.buffer), 0, limit > 1e6, limit);
  return out;
}

/** Returns a rekey or its answer, of about the size of a genuine one. */
function rekeyMessage(isAnswer: boolean): Uint8Array {
  const out = new Uint8Array(REKEY_SIZE + 96);
  writeRekey(new DataView(out.buffer), out, 0, isAnswer, 1, counting(96));
  return out;
}

const HEADER = new Uint8Array(8);
const SHORT = PACKETS.filter((packet) => packet.length < 400);
const MESSAGES: readonly Uint8Array[] = [
  ...PACKETS.map((packet, i) => join(HEADER, dataMessage(packet, i))),
  join(HEADER, ackMessage(1), Uint8Array.of(MESSAGE.PROBE << 4), dataMessage(PACKETS[0] as Uint8Array, 9)),
  join(HEADER, ackMessage(2), ackMessage(3)),
  join(HEADER, counting(HOLD_SIZE).with(0, MESSAGE.HOLD << 4), dataMessage(PACKETS[1] as Uint8Array, 70)),
  join(HEADER, counting(ABANDON_SIZE).with(0, MESSAGE.ABANDON << 4)),
  join(HEADER, Uint8Array.of(MESSAGE.CLOSE << 4, 3)),
  ...[0, 1].map((answer) => join(HEADER, counting(CHALLENGE_SIZE).with(0, (MESSAGE.CHALLENGE << 4) | answer))),
  ...[0, 20_000, 5e6].map((limit) => join(HEADER, linkMessage(limit))),
  ...[false, true].map((isAnswer) => join(HEADER, rekeyMessage(isAnswer))),
  ...[0, 1, 2, 3, 4, 5, 6].map((kind) => join(HEADER, counting(30, kind).with(0, (MESSAGE.DIAGNOSIS << 4) | kind))),
  ...[0, 1, 0, 1].map((part) => join(HEADER, fragmentMessage(SHORT[0] as Uint8Array, 80, part))),
];

/** Lets the network become quiet, and demands back every slot. */
function checkQuiet(pair: Pair): void {
  pair.run(40_000_000);
  for (const { pool } of [pair.a, pair.b]) check(pool.free === pool.count, `${pool.count - pool.free} slots are lost`);
}

function checkBounds(pair: Pair): void {
  for (const end of [pair.a, pair.b]) {
    check(end.portal.paths.length <= 256, "paths");
    end.logs.length = 0;
  }
  pair.seen.length = 0;
}

/** An attacker injects changed, repeated and made-up datagrams from anywhere while packets pass. */
const attacked: Target = {
  budget: PORTAL_BUDGET,
  draw: (random) => mutate(random, RECORDED.blake2s),
  start(random) {
    const pair = talkedPair({ security: "blake2s" });
    const paths = pair.b.portal.paths.length;
    const sent = new Set<string>(pair.b.delivered.map((packet) => packet.toHex()));
    const received = new Set<string>();
    pair.b.delivered.length = 0;
    let id = 1_000;
    return (_random, input) => {
      const to = random.chance(0.7) ? pair.b : pair.a;
      const genuine = pair.seen[random.below(pair.seen.length)]?.bytes;
      const remote = random.chance(0.5) ? ELSEWHERE : (to === pair.b ? pair.a : pair.b).address;
      pair.inject(to, genuine && random.chance(0.2) ? genuine : input, remote, random.below(LINKS));
      const packet = udpPacket(id++);
      sent.add(packet.toHex());
      pair.a.offer(pair.now, packet);
      pair.run(random.below(3_000));
      for (const delivered of pair.b.delivered.splice(0)) {
        const hex = delivered.toHex();
        check(sent.has(hex), "delivered a packet that was not sent");
        check(!received.has(hex), "delivered a packet twice");
        received.add(hex);
      }
      check(pair.b.portal.paths.length <= paths + 32, "paths");
      if (id % 125 === 0) {
        checkQuiet(pair);
        checkBounds(pair);
      }
    };
  },
};

/** Makes the input a datagram of this path that is not a repeat. */
function address(random: SeededRandom, path: Path, input: Uint8Array): void {
  if (input.length < 8) return;
  const number = path.received.largest + 1 + random.below(3);
  const view = new DataView(input.buffer);
  writeHeader(view, 0, TYPE.TRANSPORT, path.settings.index, number);
  if (input.length >= 8 + ACK_SIZE && view.getUint8(8) >>> 4 === MESSAGE.ACK) aimAck(random, path, view);
}

/** Makes an acknowledgement speak of this path, mostly of numbers it did send. */
function aimAck(random: SeededRandom, path: Path, view: DataView): void {
  view.setUint32(8, ((MESSAGE.ACK << 28) | path.settings.index) >>> 0);
  const { next } = path.sent;
  for (const offset of [12, 16, 20, 24]) if (random.chance(0.7)) view.setUint32(offset, next - 1 - random.below(6));
}

function checkPacket(parsed: ParsedHeader, packet: Uint8Array): void {
  check(parsed.parse(new DataView(packet.buffer), 0, packet.length), "delivered junk");
  check(parsed.length === packet.length, "delivered more than the packet");
}

/** Injects the input, most often as the peer of one of the paths would send it. */
function say(random: SeededRandom, pair: Pair, to: End, input: Uint8Array): void {
  const { paths } = to.portal;
  const path = paths[random.below(paths.length)];
  if (path && random.chance(0.8)) address(random, path, input);
  pair.inject(to, input, path && random.chance(0.9) ? path.remote : ELSEWHERE, path?.socket ?? 0);
}

/** Sends whatever a peer with the keys may send. */
const hostile = (scheduling: "adaptive" | "greedy"): Target => ({
  budget: PORTAL_BUDGET,
  draw: (random) => mutate(random, random.chance(0.7) ? MESSAGES : RECORDED.none),
  start() {
    const pair = talkedPair({ security: "none", scheduling });
    const parsed = new ParsedHeader();
    let count = 0;
    return (random, input) => {
      const to = random.chance(0.5) ? pair.b : pair.a;
      say(random, pair, to, input);
      if (random.chance(0.3)) pair.a.offer(pair.now, udpPacket(count));
      pair.run(random.below(5_000));
      for (const delivered of to.delivered.splice(0)) checkPacket(parsed, delivered);
      if (++count % 125 === 0) checkQuiet(pair);
      if (count % 25 === 0) checkBounds(pair);
    };
  },
});

const RECORDED = { blake2s: record("blake2s"), none: record("none") } as const;

export const PORTALS = {
  "portal-attacked": attacked,
  "portal-hostile-peer": hostile("adaptive"),
  "portal-hostile-peer-greedy": hostile("greedy"),
} as const;
