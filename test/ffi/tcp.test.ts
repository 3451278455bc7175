import { afterEach, describe, expect, test } from "bun:test";
import { pointerTo } from "../../ffi/libc.ts";
import { setOption } from "../../ffi/socket.ts";
import { type SocketSystem, systemSockets } from "../../ffi/socket-system.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import { formatEndpoint, portOf } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { SeededRandom } from "../support/random.ts";
import { at, batchOf, bytesOf, datagrams, isReady, NONE, receiveAll, releaseAll, SEED } from "./network.ts";

const MTU = 1500;
const WRITE = 4;
const system = systemSockets();
const open: { close(): void }[] = [];

function kept<T extends { close(): void }>(thing: T): T {
  open.push(thing);
  return thing;
}

afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

/** A connected pair: the connecting stream and the accepted one. */
function pair(pool: PacketPool, address = "127.0.0.1", on: SocketSystem = system): [TcpStream, TcpStream] {
  const listener = kept(TcpListener.open(pool, { family: 0, local: NONE }));
  const remote = at(address, portOf(listener.local));
  const stream = kept(TcpStream.connect(pool, { family: 0, local: NONE, remote, userTimeout: 5000 }, on));
  expect(isReady(listener.fd)).toBe(true);
  const [accepted] = listener.accept();
  if (accepted === undefined) throw new Error("nothing was accepted");
  kept(accepted);
  expect(isReady(stream.fd, WRITE)).toBe(true);
  expect([stream.state, accepted.state]).toEqual(["open", "open"]);
  return [stream, accepted];
}

/** Bytes as a peer of another making sends them. */
function sendPlain(stream: TcpStream, bytes: Uint8Array): void {
  const stable = new Uint8Array(new ArrayBuffer(bytes.length));
  stable.set(bytes);
  expect(system.libc.send(stream.fd, pointerTo(stable), bytes.length, 0)).toBe(bytes.length);
}

/** Noise in which most prefixes are lengths that may be. */
function anyBytes(random: SeededRandom): Uint8Array {
  const bytes = new Uint8Array(1 + random.below(3_000));
  random.bytes(bytes);
  if (random.chance(0.8)) for (let i = 0; i + 4 < bytes.length; i += 1 + random.below(300)) bytes.fill(0, i, i + 3);
  return bytes;
}

function takeAll(pool: PacketPool, stream: TcpStream): void {
  const batch = new PacketBatch(4);
  for (let got = receiveOnce(stream, batch); got > 0; got = stream.receive(batch)) {
    for (let i = 0; i < batch.count; i++) expect(pool.length[batch.at(i)]).toBeWithin(1, pool.slotSize);
    releaseAll(pool, batch);
  }
}

function framed(contents: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(contents.reduce((sum, bytes) => sum + 4 + bytes.length, 0));
  let to = 0;
  for (const bytes of contents) {
    new DataView(out.buffer).setUint32(to, bytes.length);
    out.set(bytes, to + 4);
    to += 4 + bytes.length;
  }
  return out;
}

/** Sends everything in batches of any size against a receiver that looks now and then, and compares. */
function carry(
  pool: PacketPool,
  from: TcpStream,
  to: TcpStream,
  sent: readonly Uint8Array[],
  stalls = { count: 0 },
): { seed: number; isEqual: boolean } {
  const random = new SeededRandom(SEED);
  const back: Uint8Array[] = [];
  let next = 0;
  for (let turn = 0; turn < 5000 && back.length < sent.length; turn++) {
    const batch = batchOf(pool, sent.slice(next, next + 1 + random.below(20)));
    const taken = from.send(batch, NONE, NONE);
    if (taken < batch.count) stalls.count++;
    expect(from.wantsWrite || taken === batch.count).toBe(true);
    next += taken;
    releaseAll(pool, batch);
    // A stalled turn waits for the network.
    if (taken === 0) isReady(to.fd);
    if (taken === 0 || random.chance(0.3)) back.push(...receiveAvailable(pool, to));
  }
  return { seed: SEED, isEqual: Bun.deepEquals(back, sent) };
}

/** Receives once after the kernel has told; the stream's own verdict. */
function receiveOnce(stream: TcpStream, batch: PacketBatch): number {
  expect(isReady(stream.fd)).toBe(true);
  return stream.receive(batch);
}

describe("TcpStream", () => {
  for (const address of ["127.0.0.1", "::1"]) {
    test(`delivers datagrams of every size in order to and from ${address}`, () => {
      const pool = new PacketPool(128, MTU);
      const [stream, accepted] = pair(pool, address);
      const sent = datagrams(Array.from({ length: MTU }, (_, i) => i + 1));
      expect(carry(pool, stream, accepted, sent)).toEqual({ seed: SEED, isEqual: true });
      expect(carry(pool, accepted, stream, sent)).toEqual({ seed: SEED, isEqual: true });
      expect(formatEndpoint(accepted.remote)).toBe(formatEndpoint(stream.local));
      expect(formatEndpoint(stream.remote)).toBe(formatEndpoint(accepted.local));
      expect(pool.free).toBe(pool.count);
    });
  }

  test("tells the endpoints of the connection with every batch", () => {
    const pool = new PacketPool(8, MTU);
    const [stream, accepted] = pair(pool);
    const listenerSide = new PacketBatch(4);
    stream.send(batchOf(pool, datagrams([10])), NONE, NONE);
    expect(receiveOnce(accepted, listenerSide)).toBe(1);
    expect(formatEndpoint(listenerSide.remote)).toBe(formatEndpoint(stream.local));
    expect(formatEndpoint(listenerSide.local)).toBe(formatEndpoint(stream.remote));
  });

  test("puts datagrams together that arrive byte by byte", () => {
    const pool = new PacketPool(16, MTU);
    const [plain, stream] = pair(pool);
    const sent = datagrams([1, 5, 300, 2]);
    const back: Uint8Array[] = [];
    const batch = new PacketBatch(8);
    for (const byte of framed(sent)) {
      sendPlain(plain, Uint8Array.of(byte));
      receiveOnce(stream, batch);
      for (let i = 0; i < batch.count; i++) back.push(bytesOf(pool, batch.at(i)));
      releaseAll(pool, batch);
    }
    expect(back).toEqual(sent);
    expect(stream.state).toBe("open");
  });

  test("takes apart what arrives in one piece, over several small batches", () => {
    const pool = new PacketPool(64, MTU);
    const [plain, stream] = pair(pool);
    const sent = datagrams(new Array(30).fill(0).map((_, i) => 100 + i));
    sendPlain(plain, framed(sent));
    const batch = new PacketBatch(7);
    expect(receiveOnce(stream, batch)).toBe(7);
    expect(stream.hasPending).toBe(true);
    const back = [...batch.slots.slice(0, 7)].map((slot) => bytesOf(pool, slot));
    releaseAll(pool, batch);
    back.push(...receiveAll(pool, stream, 23, () => {}, 7));
    expect(back).toEqual(sent);
    expect(stream.hasPending).toBe(false);
  });

  for (const length of [0, 0xffff_ffff, 0x8000_0000, 70_000]) {
    test(`ends the connection at a length of ${length}, after the datagrams before it`, () => {
      const pool = new PacketPool(8, MTU);
      const [plain, stream] = pair(pool);
      const bad = new Uint8Array(20);
      new DataView(bad.buffer).setUint32(0, length);
      const [good] = datagrams([40]);
      const bytes = new Uint8Array(64);
      bytes.set(framed([good as Uint8Array]));
      bytes.set(bad, 44);
      sendPlain(plain, bytes);
      const batch = new PacketBatch(4);
      expect(receiveOnce(stream, batch)).toBe(1);
      expect(bytesOf(pool, batch.at(0))).toEqual(good as Uint8Array);
      expect(stream.receive(new PacketBatch(4))).toBe(-1);
      expect([stream.state, stream.reason]).toEqual(["ended", "frame-length"]);
      expect(stream.send(batch, NONE, NONE)).toBe(-1);
    });
  }

  test("takes any stream of bytes for datagrams or an end, and leaves no slot behind", () => {
    const random = new SeededRandom(SEED);
    const pool = new PacketPool(16, MTU);
    for (let round = 0; round < 60; round++) {
      const [plain, stream] = pair(pool);
      for (let part = 0; part < 5 && stream.state === "open"; part++) {
        sendPlain(plain, anyBytes(random));
        takeAll(pool, stream);
      }
      plain.close();
      stream.close();
      expect(pool.free).toBe(pool.count);
    }
  });

  test("ends when the peer closes, without what was cut short", () => {
    const pool = new PacketPool(8, MTU);
    const [plain, stream] = pair(pool);
    sendPlain(plain, Uint8Array.of(0, 0, 0, 9, 1, 2, 3));
    plain.close();
    const batch = new PacketBatch(4);
    let result = receiveOnce(stream, batch);
    if (result === 0) result = receiveOnce(stream, batch);
    expect([result, stream.reason]).toEqual([-1, "closed"]);
    expect(pool.free).toBe(pool.count);
  });

  test("ends with the reason when the peer resets in the middle of a datagram", () => {
    const pool = new PacketPool(8, MTU);
    const [plain, stream] = pair(pool);
    // Closing with unread bytes in the receive queue makes the kernel send a reset.
    stream.send(batchOf(pool, datagrams([200])), NONE, NONE);
    expect(isReady(plain.fd)).toBe(true);
    sendPlain(plain, Uint8Array.of(0, 0, 5));
    plain.close();
    const batch = new PacketBatch(4);
    let result = receiveOnce(stream, batch);
    if (result === 0) result = receiveOnce(stream, batch);
    expect([result, stream.reason, stream.counters.errors]).toEqual([-1, "ECONNRESET", 1]);
  });

  test("ends when nobody listens", () => {
    const pool = new PacketPool(8, MTU);
    const listener = TcpListener.open(pool, { family: 4, local: at("127.0.0.1") });
    const remote = at("127.0.0.1", portOf(listener.local));
    listener.close();
    const stream = kept(TcpStream.connect(pool, { family: 0, local: NONE, remote }));
    expect(isReady(stream.fd, WRITE)).toBe(true);
    expect(stream.receive(new PacketBatch(1))).toBe(-1);
    expect(stream.reason).toBe("ECONNREFUSED");
  });

  test("keeps order and content against a slow peer and a tiny send buffer", () => {
    const pool = new PacketPool(64, MTU);
    const [stream, accepted] = pair(pool);
    setOption(system, stream.fd, system.numbers.SOL_SOCKET, system.numbers.SO_SNDBUF, 1);
    setOption(system, accepted.fd, system.numbers.SOL_SOCKET, system.numbers.SO_RCVBUF, 8192);
    const random = new SeededRandom(SEED);
    const sent = datagrams(Array.from({ length: 600 }, () => random.below(MTU) + 1));
    const stalls = { count: 0 };
    expect(carry(pool, stream, accepted, sent, stalls)).toEqual({ seed: SEED, isEqual: true });
    expect(stalls.count).toBeGreaterThan(10);
    expect(stream.counters.sent).toBe(600);
    expect(stream.wantsWrite).toBe(false);
  });

  test("finishes a datagram of which the kernel took any number of bytes", () => {
    const pool = new PacketPool(64, MTU);
    const random = new SeededRandom(SEED);
    // A kernel that takes a few bytes, by cutting the vectors it is given, and is full every third time.
    let calls = 0;
    const full = (): boolean => calls++ % 3 === 2;
    let isFull = false;
    const libc = { ...system.libc, errno: () => (isFull ? system.errno.EAGAIN : system.libc.errno()) };
    libc.send = (fd, buffer, length, flags) => {
      isFull = full();
      return isFull ? -1 : system.libc.send(fd, buffer, Math.min(length, 1 + random.below(3)), flags);
    };
    libc.sendmsg = (fd, message) => {
      isFull = full();
      return isFull ? -1 : sendPart(fd, message, 1 + random.below(700));
    };
    const [stream, accepted] = pair(pool, "127.0.0.1", { ...system, libc });
    const sent = datagrams(Array.from({ length: 100 }, () => random.below(400) + 1));
    let next = 0;
    for (let turn = 0; turn < 100_000 && (next < sent.length || stream.wantsWrite); turn++) {
      const batch = batchOf(pool, sent.slice(next, next + 5));
      next += stream.send(batch, NONE, NONE);
      releaseAll(pool, batch);
    }
    expect({ seed: SEED, back: receiveAll(pool, accepted, 100) }).toEqual({ seed: SEED, back: sent });
  });

  test("leaves out an empty datagram", () => {
    const pool = new PacketPool(16, MTU);
    const [stream, accepted] = pair(pool);
    const sent = datagrams([0, 3, 0, 5, 0]);
    expect(stream.send(batchOf(pool, sent), NONE, NONE)).toBe(5);
    expect(stream.send(batchOf(pool, datagrams([0])), NONE, NONE)).toBe(1);
    expect(receiveAll(pool, accepted, 2)).toEqual([sent[1], sent[3]] as Uint8Array[]);
    expect(accepted.state).toBe("open");
  });

  test("drops and counts what finds no slot", () => {
    const pool = new PacketPool(8, MTU);
    const [plain, stream] = pair(pool);
    const hoard: number[] = [];
    for (let slot = pool.take(); slot >= 0; slot = pool.take()) hoard.push(slot);
    sendPlain(plain, framed(datagrams([10, 20])));
    expect(receiveOnce(stream, new PacketBatch(4))).toBe(0);
    expect(stream.counters.noSlot).toBe(2);
    for (const slot of hoard) pool.release(slot);
    sendPlain(plain, framed(datagrams([30])));
    expect(receiveAll(pool, stream, 1)).toEqual(datagrams([30]));
  });

  test("describes the connection", () => {
    const pool = new PacketPool(4, MTU);
    const [stream, accepted] = pair(pool, "::1");
    const told = stream.describe();
    expect([told.state, told.reason, told.local]).toEqual(["open", "", formatEndpoint(accepted.remote)]);
    expect(told.sendBuffer).toBeGreaterThan(0);
    stream.close();
    stream.close();
    expect(stream.state).toBe("ended");
  });
});

describe("TcpListener", () => {
  test("hands over no more streams in a turn than asked", () => {
    const pool = new PacketPool(4, MTU);
    const listener = kept(TcpListener.open(pool, { family: 0, local: NONE }));
    const remote = at("127.0.0.1", portOf(listener.local));
    for (let i = 0; i < 3; i++) kept(TcpStream.connect(pool, { family: 0, local: NONE, remote }));
    expect(isReady(listener.fd)).toBe(true);
    expect(listener.accept(2).map(kept)).toHaveLength(2);
    expect(isReady(listener.fd)).toBe(true);
    expect(listener.accept(2).map(kept)).toHaveLength(1);
    expect(listener.accept()).toEqual([]);
    expect(listener.counters.received).toBe(3);
  });

  test("refuses a port in use", () => {
    const pool = new PacketPool(4, MTU);
    const first = kept(TcpListener.open(pool, { family: 4, local: at("127.0.0.1") }));
    expect(() => TcpListener.open(pool, { family: 4, local: first.local })).toThrow("EADDRINUSE");
  });
});

function receiveAvailable(pool: PacketPool, stream: TcpStream): Uint8Array[] {
  const out: Uint8Array[] = [];
  const batch = new PacketBatch(16);
  while (stream.receive(batch) > 0 || batch.count > 0) {
    for (let i = 0; i < batch.count; i++) out.push(bytesOf(pool, batch.at(i)));
    releaseAll(pool, batch);
  }
  return out;
}

/** Sends at most `limit` bytes of the first vectors of a message, one send each. */
function sendPart(fd: number, message: number, limit: number): number {
  const header = new BigUint64Array(copied(message, 56).buffer);
  let done = 0;
  for (let i = 0; i < Number(header[3]) && done < limit; i++) {
    const vector = new BigUint64Array(copied(Number(header[2]) + 16 * i, 16).buffer);
    const length = Math.min(Number(vector[1]), limit - done);
    done += system.libc.send(fd, Number(vector[0]), length, 0);
  }
  return done;
}

function copied(address: number, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(new ArrayBuffer(length));
  system.libc.memcpy(pointerTo(out), address, length);
  return out;
}
