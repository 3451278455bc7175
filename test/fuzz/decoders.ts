/** Targets that are one function each. */
import { parseIni } from "../../src/config/ini.ts";
import { ENDPOINT_SIZE, formatAddress, parseEndpoint } from "../../src/endpoint.ts";
import { isRefused } from "../../src/exchange/exchange.ts";
import { NoiseExchange } from "../../src/exchange/noise-exchange.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { applyAck, SettledDatagrams } from "../../src/path/loss.ts";
import { SentPackets } from "../../src/path/sent-packets.ts";
import { createOffer } from "../../src/security/offer.ts";
import { ACK_SIZE, Ack, MAX_RANGES } from "../../src/wire/ack.ts";
import { decodeDiagnosis, diagnosisSize, encodeDiagnosis } from "../../src/wire/diagnosis-messages.ts";
import { decodeHello, encodeHello, type Hello } from "../../src/wire/exchange-messages.ts";
import { turnIntoTooBig } from "../../src/wire/icmp.ts";
import { flowHash, ParsedHeader } from "../../src/wire/ip.ts";
import { MESSAGE } from "../../src/wire/message-types.ts";
import { clampMss } from "../../src/wire/mss.ts";
import type { SeededRandom } from "../support/random.ts";
import { contentOf, slotWith } from "../support/slots.ts";
import { mutate, noise } from "./mutate.ts";
import { PACKETS } from "./packets.ts";
import { check, type Target } from "./target.ts";

const drawPacket = (random: SeededRandom): Uint8Array => mutate(random, PACKETS);

/** Looks at a packet that ends where its memory ends: a read beyond it throws. */
const ip: Target = {
  draw: drawPacket,
  start() {
    const parsed = new ParsedHeader();
    return (random, input) => {
      const view = new DataView(input.buffer, input.byteOffset, input.length);
      if (!parsed.parse(view, 0, input.length)) return;
      check(parsed.version === 4 || parsed.version === 6, "version");
      check(parsed.length <= input.length, "claims more than there is");
      check(parsed.transport <= parsed.length, "transport begins beyond the packet");
      const hash = flowHash(view, 0, parsed, random.uint32());
      check(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32, "hash");
    };
  },
};

const mss: Target = {
  draw: drawPacket,
  start() {
    const parsed = new ParsedHeader();
    return (random, input) => {
      const view = new DataView(input.buffer, input.byteOffset, input.length);
      if (!parsed.parse(view, 0, input.length)) return;
      const before = input.slice();
      const mtu = 576 + random.below(9_000);
      const isChanged = clampMss(view, 0, parsed, mtu, random.chance(0.5));
      const differing = [...input.keys()].filter((i) => input[i] !== before[i]);
      check(isChanged || differing.length === 0, "changed without saying so");
      check(differing.length <= 4, `changed ${differing.length} bytes`);
      check(!clampMss(view, 0, parsed, mtu, false), "needs clamping twice");
    };
  },
};

const icmp: Target = {
  draw: drawPacket,
  start() {
    const pool = new PacketPool(3, 1_900);
    const parsed = new ParsedHeader();
    return (_random, input) => {
      const [before, slot, behind] = [slotWith(pool, input), slotWith(pool, input), slotWith(pool, input)];
      if (parsed.parse(pool.view, pool.start[slot] as number, input.length)) {
        pool.length[slot] = parsed.length;
        const isMade = turnIntoTooBig(pool, slot, 1_400);
        const answer = contentOf(pool, slot);
        check(!isMade || parsed.parse(new DataView(answer.buffer), 0, answer.length), "the answer is junk");
        check(!isMade || answer.length <= 1_280, "the answer is long");
        for (const other of [before, behind]) check(Bun.deepEquals(contentOf(pool, other), input), "another slot");
      }
      for (const each of [before, slot, behind]) pool.release(each);
    };
  },
};

/** Messages of one end, after its encryption is off. */
const hello: Target = {
  draw: (random) => mutate(random, HELLOS, 120),
  start() {
    return (_random, input) => {
      const decoded = decodeHello(input);
      if (!decoded) return;
      check(/^[ -~]{0,24}$/.test(decoded.name), "name");
      check(decoded.index > 0 && decoded.index < 2 ** 24, "index");
      const { addresses } = decoded;
      check(!addresses || addresses.source.length === ENDPOINT_SIZE, "address");
      if (addresses) formatAddress(addresses.source);
    };
  },
};

const HELLO: Hello = {
  suites: 12,
  chosen: 0,
  costs: [0, 0, 700, 11_000],
  index: 77,
  run: new Uint8Array(8).fill(1),
  attempt: 3,
  link: 2,
  metric: 3,
  name: "lte",
  addresses: undefined,
};

const HELLOS: readonly Uint8Array[] = [
  encodeHello(HELLO),
  encodeHello({ ...HELLO, addresses: { source: endpointOf("192.0.2.1"), destination: endpointOf("2001:db8::2") } }),
];

function endpointOf(text: string): Uint8Array {
  return parseEndpoint(text) ?? new Uint8Array(ENDPOINT_SIZE);
}

const KEY = new Uint8Array(32).fill(7);
const INTRODUCTION = { index: 77, link: 2, metric: 3, name: "lte", addresses: undefined };

function exchangeOf(random: number): NoiseExchange {
  return new NoiseExchange(createOffer("auto"), { sharedKey: KEY }, new Uint8Array(8), (out) => out.fill(random));
}

const exchange: Target = {
  draw: (random) => mutate(random, EXCHANGES, 300),
  start() {
    const portal = exchangeOf(3);
    const initiation = portal.initiate(0, INTRODUCTION);
    return (_random, input) => {
      // The last MAC shows a cookie, where one is demanded.
      const isGenuine = EXCHANGES.some((known) => Bun.deepEquals(known.subarray(0, -16), input.subarray(0, -16)));
      check(isGenuine || portal.check(input) !== undefined || !isRead(portal, input), "took a changed initiation");
      check(isRefused(initiation.complete(input)), "took a response that was never made");
      check(!initiation.takeCookie(0, input), "took a cookie that was never made");
    };
  },
};

function isRead(portal: NoiseExchange, input: Uint8Array): boolean {
  return !isRefused(portal.read(input));
}

const EXCHANGES: readonly Uint8Array[] = exchangeMessages();

function exchangeMessages(): Uint8Array[] {
  const [maker, answerer] = [exchangeOf(9), exchangeOf(11)];
  const { message } = maker.initiate(0, INTRODUCTION);
  const question = answerer.read(message);
  if (isRefused(question)) throw new Error("a genuine initiation was refused");
  const cookie = answerer.askForCookie(0, message, endpointOf("192.0.2.1"));
  return [message, question.respond(INTRODUCTION).message, cookie];
}

const ACKS: readonly Uint8Array[] = [0, 1, 5, MAX_RANGES].map((ranges) => {
  const ack = Object.assign(new Ack(), { index: 1, ack: 20, nack: 7, largest: 60, ranges });
  for (let i = 0; i < ranges; i++) ack.pairs.set([i === 0 ? 0 : 1, 1], 2 * i);
  const bytes = new Uint8Array(ack.size);
  ack.write(new DataView(bytes.buffer), 0);
  return bytes;
});

/** Reads a report and applies it to what was sent: bytes and packets in flight stay what they must be. */
const ack: Target = {
  draw: (random) => mutate(random, ACKS, ACK_SIZE + 4 * MAX_RANGES),
  start() {
    const sent = new SentPackets();
    const report = new Ack();
    const out = new SettledDatagrams();
    const nobody = { onDelivered() {}, onLost() {} };
    let now = 0;
    return (random, input) => {
      for (let i = random.below(8); i > 0; i--) sent.add(now++, random.below(3) * 500, 1_000, -1);
      const view = new DataView(input.buffer, input.byteOffset, input.length);
      if (report.read(view, 0, input.length) < 0) return;
      // The numbers of this state are small: bring those of the report near.
      if (random.chance(0.7)) report.largest = sent.next - 1 - random.below(5);
      if (random.chance(0.7)) report.ack = Math.max(0, report.largest - random.below(40));
      if (random.chance(0.7)) report.nack = Math.max(0, report.ack - random.below(40));
      const [packets, bytes] = [sent.packetsInFlight, sent.bytesInFlight];
      const isTaken = applyAck(0, sent, report, random.chance(0.5) ? "nack" : "gap", nobody, out);
      check(isTaken || (sent.packetsInFlight === packets && sent.bytesInFlight === bytes), "changed by a refused one");
      check(sent.packetsInFlight === packets - out.ackedPackets - out.lostPackets, "packets in flight");
      check(sent.bytesInFlight === bytes - out.ackedBytes - out.lostBytes, "bytes in flight");
      check(sent.packetsInFlight >= 0 && sent.bytesInFlight >= 0, "less than nothing in flight");
      check(out.largestAcked < sent.next, "acknowledged what was never sent");
    };
  },
};

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const utf8 = (words: string): Uint8Array => new TextEncoder().encode(words);

const INI_SEEDS = [
  "[Host]\nTUN = nc0\n# comment\n\n[Peer]\r\nMethod = UDP ; comment\r\nKey=\n[Peer]\nLocalPort=4725\n",
  "\uFEFF[A]\nb = [c]\nb = = =\n]\n[\n= x\n\u0000\n",
].map(utf8);

const ini: Target = {
  draw: (random) => mutate(random, INI_SEEDS, 500),
  start: () => (_random, input) => {
    const { sections, faults } = parseIni(text(input));
    const lines = text(input).split("\n").length;
    const places = [...sections, ...sections.flatMap((section) => section.entries), ...faults];
    for (const { line } of places) check(line >= 1 && line <= lines, "line");
    for (const fault of faults) check(fault.text.startsWith("syntax: "), "fault");
    for (const entry of sections.flatMap((section) => section.entries)) {
      check(!/[\n\0]/.test(entry.value) && entry.value === entry.value.trim(), "value");
    }
  },
};

const ADDRESSES = ["192.0.2.1", "fe80::1%3", "::ffff:1.2.3.4", "2001:db8:1:2:3:4:5:6"].map(utf8);

const endpoint: Target = {
  draw: (random) => (random.chance(0.9) ? mutate(random, ADDRESSES, 60) : noise(random, random.below(30))),
  start: () => (_random, input) => {
    const parsed = parseEndpoint(text(input));
    if (!parsed) return;
    check(Bun.deepEquals(parseEndpoint(formatAddress(parsed)), parsed), "does not read back what it writes");
  },
};

const DIAGNOSES = [5, 24, 5, 22, 27, 6, 9].map((size, kind) => {
  const bytes = new Uint8Array(size).fill(kind);
  bytes[0] = (MESSAGE.DIAGNOSIS << 4) | kind;
  return bytes;
});

const diagnosis: Target = {
  draw: (random) => mutate(random, DIAGNOSES, 40),
  start: () => (_random, input) => {
    if (input.length === 0) return;
    const size = diagnosisSize(new DataView(input.buffer, input.byteOffset, input.length), 0, input.length);
    check(size === -1 || (size > 0 && size <= input.length), "size");
    const message = size < 0 ? undefined : decodeDiagnosis(input.subarray(0, size));
    if (!message) return;
    const again = decodeDiagnosis(encodeDiagnosis(message));
    check(Bun.deepEquals(again, message), "does not read back what it writes");
  },
};

export const DECODERS = { ip, mss, icmp, hello, exchange, ack, ini, endpoint, diagnosis } as const;
