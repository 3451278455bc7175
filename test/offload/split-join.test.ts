import { describe, expect, test } from "bun:test";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PACKET_FLAG, PacketPool } from "../../src/memory/packet-pool.ts";
import { Joiner, MAX_JOINED } from "../../src/offload/joiner.ts";
import { Segmenter } from "../../src/offload/segmenter.ts";
import { completePacket } from "../../src/offload/transport.ts";
import { GSO, VIRTIO_FLAG, VIRTIO_SIZE, VirtioHeader } from "../../src/offload/virtio.ts";
import { build, content, type Shape, TCP } from "../support/packets/build.ts";
import { completed, isPartial, isRight, startOf } from "../support/packets/checksums.ts";

const SEED = Number(process.env.NC_SEED ?? 1);

function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function bench(slots = 256, capacity = 1500) {
  const pool = new PacketPool(slots, capacity);
  const staging = new Uint8Array(new ArrayBuffer(65_600));
  const splitter = new Segmenter(pool, staging.buffer as ArrayBuffer, (to, from, length) =>
    pool.bytes.set(staging.subarray(from, from + length), to),
  );
  return { pool, staging, splitter, batch: new PacketBatch(slots) };
}

type Bench = ReturnType<typeof bench>;

function superHeader(packet: Uint8Array, gsoSize: number): VirtioHeader {
  const header = new VirtioHeader();
  const start = startOf(packet);
  const isTcp = packet[start === 20 ? 9 : 6] === 6;
  header.flags = VIRTIO_FLAG.NEEDS_CSUM;
  header.gsoType = isTcp ? (start === 20 ? GSO.TCPV4 : GSO.TCPV6) : GSO.UDP_L4;
  header.gsoSize = gsoSize;
  header.csumStart = start;
  header.csumOffset = isTcp ? 16 : 6;
  return header;
}

function split(b: Bench, packet: Uint8Array, header: VirtioHeader): number {
  b.staging.set(packet, 10);
  return b.splitter.split(10, packet.length, header, b.batch);
}

function packetsOf(b: Bench): Uint8Array[] {
  return Array.from({ length: b.batch.count }, (_, i) => {
    const at = b.pool.start[b.batch.at(i)] as number;
    return b.pool.bytes.slice(at, at + (b.pool.length[b.batch.at(i)] as number));
  });
}

function add(b: Bench, packet: Uint8Array, flags = 0): void {
  const slot = b.pool.take();
  b.pool.bytes.set(packet, b.pool.start[slot] as number);
  b.pool.length[slot] = packet.length;
  b.pool.flags[slot] = flags;
  b.batch.push(slot);
}

/** What would be written: one array for each group, and its virtio header. */
function written(b: Bench, joiner: Joiner): { bytes: Uint8Array; header: VirtioHeader; pieces: number }[] {
  const view = new DataView(joiner.headers);
  return Array.from({ length: joiner.groups }, (_, g) => {
    const header = new VirtioHeader();
    header.read(view, VIRTIO_SIZE * g);
    const from = joiner.firstPiece[g] as number;
    const to = joiner.firstPiece[g + 1] as number;
    const parts: number[] = [];
    for (let p = from; p < to; p++) {
      const at = joiner.pieceOffset[p] as number;
      parts.push(...b.pool.bytes.slice(at, at + (joiner.pieceLength[p] as number)));
    }
    return { bytes: Uint8Array.from(parts), header, pieces: to - from };
  });
}

function joined(packets: readonly Uint8Array[], flags = 0, udp = true) {
  const b = bench();
  for (const packet of packets) add(b, packet, flags);
  const joiner = new Joiner(b.pool, 256, udp);
  joiner.join(b.batch);
  return written(b, joiner);
}

const tcp = (shape: Partial<Shape>) =>
  build({ version: 4, protocol: "tcp", payload: content(100, 1), ...shape } as Shape);

/** Consecutive segments of 100 bytes. */
const run = (count: number, shape: Partial<Shape> = {}) =>
  Array.from({ length: count }, (_, i) => tcp({ payload: content(100, i), sequence: 1 + 100 * i, ...shape }));

describe("Segmenter", () => {
  test("cuts a TCP super-packet into segments with their own sequence, id, lengths and flags", () => {
    const b = bench();
    const flags = TCP.ACK | TCP.PSH | TCP.FIN | TCP.CWR;
    const packet = tcp({ payload: content(250, 5), sequence: 0xffff_ffff, id: 0xffff, flags, checksum: "partial" });
    expect(split(b, packet, superHeader(packet, 100))).toBe(3);
    const views = packetsOf(b).map((bytes) => new DataView(bytes.buffer));
    expect(views.map((v) => v.byteLength)).toEqual([140, 140, 90]);
    expect(views.map((v) => v.getUint16(2))).toEqual([140, 140, 90]);
    expect(views.map((v) => v.getUint16(4))).toEqual([0xffff, 0, 1]);
    expect(views.map((v) => v.getUint32(24))).toEqual([0xffff_ffff, 99, 199]);
    expect(views.map((v) => v.getUint8(33))).toEqual([TCP.ACK | TCP.CWR, TCP.ACK, TCP.ACK | TCP.PSH | TCP.FIN]);
  });

  test("leaves the checksum of each segment partial and flagged, right once completed", () => {
    for (const version of [4, 6] as const) {
      for (const protocol of ["tcp", "udp"] as const) {
        const b = bench();
        const packet = build({ version, protocol, payload: content(1001, 5), checksum: "partial" });
        split(b, packet, superHeader(packet, 300));
        expect(b.batch.count).toBe(4);
        for (let i = 0; i < 4; i++) expect(b.pool.flags[b.batch.at(i)]).toBe(PACKET_FLAG.CHECKSUM_PARTIAL);
        expect(packetsOf(b).every(isPartial)).toBe(true);
        for (let i = 0; i < 4; i++) expect(completePacket(b.pool, b.batch.at(i))).toBe(true);
        expect(packetsOf(b).every(isRight)).toBe(true);
      }
    }
  });

  test("begins every packet with its full headroom", () => {
    const b = bench();
    const packet = tcp({ payload: content(250, 5), checksum: "partial" });
    split(b, packet, superHeader(packet, 100));
    for (let i = 0; i < 3; i++) expect(b.pool.start[b.batch.at(i)]).toBe(b.pool.origin(b.batch.at(i)));
  });

  test("goes on in the next batch where the first one is full", () => {
    const b = bench();
    const small = new PacketBatch(2);
    const packet = tcp({ payload: content(250, 5), checksum: "partial" });
    b.staging.set(packet, 0);
    expect(b.splitter.split(0, packet.length, superHeader(packet, 100), small)).toBe(2);
    expect(b.splitter.isPending).toBe(true);
    small.clear();
    expect(b.splitter.resume(small)).toBe(1);
    expect(b.splitter.isPending).toBe(false);
    expect(b.splitter.dropped).toBe(0);
  });

  test("counts the segments that found no slot", () => {
    const b = bench(2);
    b.batch = new PacketBatch(10);
    const packet = tcp({ payload: content(450, 5), checksum: "partial" });
    expect(split(b, packet, superHeader(packet, 100))).toBe(2);
    expect(b.splitter.dropped).toBe(3);
    expect(b.splitter.isPending).toBe(false);
  });

  test("drops segments larger than a slot", () => {
    const b = bench(16, 200);
    const packet = tcp({ payload: content(2000, 5), checksum: "partial" });
    expect(split(b, packet, superHeader(packet, 1000))).toBe(0);
    expect(b.splitter.dropped).toBe(1);
    expect(b.pool.free).toBe(16);
  });

  test("keeps a single packet as it is, with what the kernel says of its checksum", () => {
    const b = bench();
    const partial = superHeader(tcp({}), 0);
    partial.gsoType = GSO.NONE;
    const valid = new VirtioHeader();
    valid.flags = VIRTIO_FLAG.DATA_VALID;
    const packets = [tcp({ checksum: "partial" }), tcp({}), tcp({})];
    split(b, packets[0] as Uint8Array, partial);
    split(b, packets[1] as Uint8Array, valid);
    split(b, packets[2] as Uint8Array, new VirtioHeader());
    expect(packetsOf(b)).toEqual(packets);
    expect([0, 1, 2].map((i) => b.pool.flags[b.batch.at(i)])).toEqual([1, 2, 0]);
  });

  test("completes a partial checksum that the other portal could not find", () => {
    const b = bench();
    const inner = build({ version: 4, protocol: "udp", payload: content(60, 2), checksum: "partial" });
    const outer = build({ version: 4, protocol: "udp", payload: inner });
    const header = new VirtioHeader();
    header.flags = VIRTIO_FLAG.NEEDS_CSUM;
    header.csumStart = 48;
    header.csumOffset = 6;
    split(b, outer, header);
    expect(b.pool.flags[b.batch.at(0)]).toBe(0);
    expect(isRight((packetsOf(b)[0] as Uint8Array).slice(28))).toBe(true);
  });

  test("survives hostile headers and loses no slot", () => {
    const next = random(SEED);
    for (let round = 0; round < 5000; round++) {
      const b = bench(8, 300);
      const packet = content(next(200), next(1e6));
      packet[0] = [0x45, 0x60, 0x4f, next(256)][next(4)] ?? 0;
      const header = new VirtioHeader();
      header.flags = next(4);
      header.gsoType = [0, 1, 3, 4, 5, 0x81, next(256)][next(7)] ?? 0;
      header.gsoSize = next(2) ? next(100) : next(65_536);
      header.csumStart = next(2) ? ([20, 40][next(2)] ?? 0) : next(65_536);
      header.csumOffset = [6, 16, next(65_536)][next(3)] ?? 0;
      split(b, packet, header);
      if (b.pool.free + b.batch.count !== 8) throw new Error(`slots lost, NC_SEED=${SEED} round ${round}`);
    }
  });
});

describe("Joiner", () => {
  test("joins consecutive segments into one super-packet that is partial and has the right lengths", () => {
    for (const version of [4, 6] as const) {
      const [only, ...more] = joined(run(5, { version }));
      expect(more).toEqual([]);
      expect(only?.pieces).toBe(5);
      expect(only?.header).toMatchObject({
        gsoSize: 100,
        flags: 1,
        csumStart: version === 4 ? 20 : 40,
        csumOffset: 16,
      });
      expect(only?.header.gsoType).toBe(version === 4 ? GSO.TCPV4 : GSO.TCPV6);
      expect(isPartial(only?.bytes as Uint8Array)).toBe(true);
      expect(isRight(completed(only?.bytes as Uint8Array))).toBe(true);
    }
  });

  test("takes a shorter last segment and nothing behind it", () => {
    const packets = run(3);
    packets[1] = tcp({ payload: content(50, 1), sequence: 101 });
    packets[2] = tcp({ payload: content(50, 1), sequence: 151 });
    expect(joined(packets).map((group) => group.pieces)).toEqual([2, 1]);
  });

  test("ends a super-packet with PSH and passes the flag on", () => {
    const packets = run(4);
    packets[1] = tcp({ payload: content(100, 1), sequence: 101, flags: TCP.ACK | TCP.PSH });
    const groups = joined(packets);
    expect(groups.map((group) => group.pieces)).toEqual([2, 2]);
    expect(groups.map((group) => group.bytes[33])).toEqual([TCP.ACK | TCP.PSH, TCP.ACK]);
  });

  const different: readonly (readonly [what: string, shape: Partial<Shape>])[] = [
    ["a gap in the sequence", { sequence: 102 }],
    ["another port", { sourcePort: 1001 }],
    ["another window", { window: 1 }],
    ["a congestion mark", { ecn: 3 }],
    ["a SYN", { flags: TCP.SYN | TCP.ACK }],
    ["a FIN", { flags: TCP.FIN | TCP.ACK }],
    ["a larger payload", { payload: content(101, 2) }],
    ["no payload", { payload: content(0, 2) }],
    ["other options", { options: 12 }],
    ["another IP version", { version: 6 }],
    ["fragmentation allowed", { dontFragment: false }],
  ];
  test.each(different)("does not join over %s", (_what, shape) => {
    const packets = [tcp({}), tcp({ payload: content(100, 2), sequence: 101, ...shape })];
    expect(joined(packets).map((group) => group.pieces)).toEqual([1, 1]);
  });

  test("joins what may be fragmented only where the identification counts up", () => {
    const packet = (i: number, id: number) =>
      tcp({ payload: content(100, i), sequence: 1 + 100 * i, id, dontFragment: false });
    expect(joined([packet(0, 7), packet(1, 8)])).toHaveLength(1);
    expect(joined([packet(0, 7), packet(1, 9)])).toHaveLength(2);
  });

  test("leaves a packet with a wrong checksum alone and unchanged", () => {
    const packets = run(3);
    const bad = packets[1] as Uint8Array;
    bad[60] = (bad[60] as number) ^ 0x55;
    const groups = joined(packets);
    expect(groups.map((group) => group.pieces)).toEqual([1, 1, 1]);
    expect(groups[1]?.bytes).toEqual(bad);
    expect(groups[1]?.header.flags).toBe(0);
  });

  test("trusts a checksum that the other kernel vouched for", () => {
    const packets = run(2);
    const second = packets[1] as Uint8Array;
    second[36] = (second[36] as number) ^ 1;
    expect(joined(packets, PACKET_FLAG.CHECKSUM_VALID)).toHaveLength(1);
  });

  test("describes single packets by their flags", () => {
    const one = (checksum: "full" | "partial", flags: number) => joined([tcp({ checksum })], flags)[0]?.header;
    expect(one("partial", PACKET_FLAG.CHECKSUM_PARTIAL)).toMatchObject({
      flags: 1,
      csumStart: 20,
      csumOffset: 16,
      gsoType: 0,
    });
    expect(one("full", PACKET_FLAG.CHECKSUM_VALID)).toMatchObject({ flags: 2, csumStart: 0, gsoType: 0 });
    expect(one("full", 0)).toMatchObject({ flags: 0, gsoType: 0 });
  });

  test("joins each of several interleaved flows", () => {
    const flows = [1, 2, 3].map((port) => run(4, { sourcePort: port }));
    const packets = [0, 1, 2, 3].flatMap((i) => flows.map((flow) => flow[i] as Uint8Array));
    expect(joined(packets).map((group) => group.pieces)).toEqual([4, 4, 4]);
  });

  test("keeps a flow's order around a fragment of it", () => {
    const [a, b, c] = run(3) as [Uint8Array, Uint8Array, Uint8Array];
    const fragment = b.slice();
    fragment[6] = 0x20;
    const groups = joined([a, fragment, b, c]);
    expect(groups.map((group) => group.pieces)).toEqual([1, 1, 2]);
  });

  test("stays below 64 pieces and 64 kB", () => {
    expect(joined(run(100)).map((group) => group.pieces)).toEqual([MAX_JOINED, 100 - MAX_JOINED]);
    const large = Array.from({ length: 50 }, (_, i) => tcp({ payload: content(1460, i), sequence: 1 + 1460 * i }));
    for (const group of joined(large)) expect(group.bytes.length).toBeLessThanOrEqual(65_535);
  });

  test("joins UDP only where the device takes it, and never without a checksum", () => {
    const udp = [1, 2, 3].map((i) => build({ version: 4, protocol: "udp", payload: content(100, i) }));
    const groups = joined(udp);
    expect(groups.map((group) => group.pieces)).toEqual([3]);
    expect(groups[0]?.header).toMatchObject({ gsoType: GSO.UDP_L4, gsoSize: 100, csumOffset: 6 });
    expect(isRight(completed(groups[0]?.bytes as Uint8Array))).toBe(true);
    expect(joined(udp, 0, false)).toHaveLength(3);
    for (const packet of udp) packet.fill(0, 26, 28);
    expect(joined(udp)).toHaveLength(3);
  });

  test("survives packets of noise", () => {
    const next = random(SEED);
    for (let round = 0; round < 300; round++) {
      const packets = Array.from({ length: 20 }, () => {
        const packet = next(3) === 0 ? content(1 + next(90), next(1e6)) : tcp({ sequence: 1 + 100 * next(3) });
        packet[next(packet.length)] = next(256);
        return packet;
      });
      const pieces = joined(packets, next(4)).reduce((sum, group) => sum + group.pieces, 0);
      if (pieces !== 20) throw new Error(`${pieces} of 20 packets, NC_SEED=${SEED} round ${round}`);
    }
  });
});

function randomShape(next: (below: number) => number, segment: number): Shape {
  const protocol = next(2) ? "tcp" : "udp";
  return {
    version: next(2) ? 4 : 6,
    protocol,
    payload: content(segment * (1 + next(30)) + 1 + next(segment), next(1e6)),
    options: protocol === "tcp" ? 4 * next(11) : 0,
    flags: next(2) ? TCP.ACK : TCP.ACK | TCP.PSH,
    sequence: next(2 ** 32),
    id: next(65_536),
    checksum: "partial",
  };
}

describe("Segmenter and Joiner", () => {
  test("give back the super-packet that was cut, whatever its sizes", () => {
    const next = random(SEED);
    for (let round = 0; round < 300; round++) {
      const segment = 1 + next(1300);
      const original = build(randomShape(next, segment));
      const b = bench();
      split(b, original, superHeader(original, segment));
      const joiner = new Joiner(b.pool, 256, true);
      joiner.join(b.batch);
      const [first, ...more] = written(b, joiner);
      const same = first !== undefined && more.length === 0 && Buffer.compare(first.bytes, original) === 0;
      if (!same || first.header.gsoSize !== segment) throw new Error(`differs, NC_SEED=${SEED} round ${round}`);
    }
  });
});
