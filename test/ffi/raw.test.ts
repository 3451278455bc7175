import { afterEach, describe, expect, test } from "bun:test";
import { pointerTo } from "../../ffi/libc.ts";
import { RawSocket } from "../../ffi/raw.ts";
import { type SocketSystem, systemSockets } from "../../ffi/socket-system.ts";
import { formatAddress, formatEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { at, batchOf, datagrams, isReady, isRoot, NONE, receiveAll, releaseAll, SEED } from "./network.ts";

const MTU = 1500;
const system = systemSockets();
const single: SocketSystem = { ...system, libc: { ...system.libc, sendmmsg: undefined, recvmmsg: undefined } };
const sockets: RawSocket[] = [];

function open(pool: PacketPool, family: 4 | 6, address: string | undefined, on = system, protocol?: number): RawSocket {
  const local = address === undefined ? NONE : at(address);
  const socket = RawSocket.open(pool, { family, local, protocol }, on);
  sockets.push(socket);
  return socket;
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

const WAYS: [string, SocketSystem][] = [
  ["with calls for many", system],
  ["one by one", single],
];
const FAMILIES: [4 | 6, string, string][] = [
  [4, "127.0.0.1", "127.0.0.9"],
  [6, "::1", "::1"],
];

describe.skipIf(!isRoot)("RawSocket", () => {
  for (const [way, on] of WAYS) {
    for (const [family, from, to] of FAMILIES) {
      test(`delivers every size from 1 to the MTU in order over IPv${family} ${way}`, () => {
        const pool = new PacketPool(256, MTU);
        // Over IPv6 both ends have the one loopback address, so only one socket may exist to see each datagram once.
        const receiver = open(pool, family, to, on);
        const sender = family === 6 ? receiver : open(pool, family, from, on);
        const sent = datagrams(Array.from({ length: MTU }, (_, i) => i + 1));
        const back: Uint8Array[] = [];
        for (let i = 0; i < sent.length; i += 64) {
          const batch = batchOf(pool, sent.slice(i, i + 64));
          const count = batch.count;
          expect(sender.send(batch, at(to), NONE)).toBe(count);
          releaseAll(pool, batch);
          back.push(
            ...receiveAll(pool, receiver, count, (received) => {
              expect(formatEndpoint(received.remote)).toBe(from);
              expect(formatEndpoint(received.local)).toBe(to);
            }),
          );
        }
        expect({ seed: SEED, equal: Bun.deepEquals(back, sent) }).toEqual({ seed: SEED, equal: true });
        expect(pool.free).toBe(pool.count);
      });
    }

    test(`listens for many peers and answers each from the address it was asked at ${way}`, () => {
      const pool = new PacketPool(64, MTU);
      const listener = open(pool, 4, undefined, on);
      for (const [asks, asked] of [
        ["127.0.0.2", "127.0.0.3"],
        ["127.0.0.4", "127.0.0.5"],
      ] as const) {
        const peer = open(pool, 4, asks, on);
        peer.send(batchOf(pool, datagrams([100])), at(asked), NONE);
        receiveAll(pool, listener, 1, (batch) => {
          expect([formatAddress(batch.remote), formatAddress(batch.local)]).toEqual([asks, asked]);
          expect(listener.send(batch, batch.remote, batch.local)).toBe(1);
        });
        receiveAll(pool, peer, 1, (batch) => expect(formatAddress(batch.remote)).toBe(asked));
        expect(peer.counters.received).toBe(1);
        // The answer is an IP packet of the protocol on this host too: the listener sees it.
        receiveAll(pool, listener, 1);
      }
    });

    test(`keeps datagrams to different addresses in different batches ${way}`, () => {
      const pool = new PacketPool(64, MTU);
      const listener = open(pool, 4, undefined, on);
      const peer = open(pool, 4, "127.0.0.2", on);
      // Two at once to learn to read more at a time, then one to each address before the next look.
      peer.send(batchOf(pool, datagrams([1, 1])), at("127.0.0.3"), NONE);
      receiveAll(pool, listener, 2);
      const addresses = ["127.0.0.3", "127.0.0.3", "127.0.0.5", "127.0.0.3"];
      for (const address of addresses) peer.send(batchOf(pool, datagrams([10])), at(address), NONE);
      const seen: string[] = [];
      receiveAll(pool, listener, 4, (batch) => {
        for (let i = 0; i < batch.count; i++) seen.push(formatAddress(batch.local));
      });
      expect(seen).toEqual(addresses);
    });

    test(`tells the local address over IPv6 ${way}`, () => {
      const pool = new PacketPool(64, MTU);
      const listener = open(pool, 6, undefined, on);
      listener.send(batchOf(pool, datagrams([100, 20])), at("::1"), at("::1"));
      receiveAll(pool, listener, 2, (batch) => {
        expect([formatAddress(batch.remote), formatAddress(batch.local)]).toEqual(["::1", "::1"]);
      });
      expect(listener.counters.received).toBe(2);
    });

    test(`hands over a datagram longer than a slot with length 0 ${way}`, () => {
      const large = new PacketPool(8, 4000);
      const small = new PacketPool(8, 1000);
      const sender = open(large, 4, "127.0.0.1", on);
      const receiver = open(small, 4, "127.0.0.9", on);
      sender.send(batchOf(large, datagrams([300, 3000, 200])), at("127.0.0.9"), NONE);
      expect(receiveAll(small, receiver, 3).map((bytes) => bytes.length)).toEqual([300, 0, 200]);
      expect(receiver.counters.truncated).toBe(1);
    });
  }

  test("keeps protocols apart", () => {
    const pool = new PacketPool(8, MTU);
    const one = open(pool, 4, "127.0.0.1", system, 253);
    const other = open(pool, 4, "127.0.0.9", system, 254);
    one.send(batchOf(pool, datagrams([10])), at("127.0.0.9"), NONE);
    const same = open(pool, 4, "127.0.0.9", system, 254);
    same.send(batchOf(pool, datagrams([20])), at("127.0.0.9"), NONE);
    expect(receiveAll(pool, other, 1).map((bytes) => bytes.length)).toEqual([20]);
    expect(other.receive(new PacketBatch(1))).toBe(0);
  });

  test("says what was granted and closes once", () => {
    const pool = new PacketPool(8, MTU);
    const socket = open(pool, 4, "127.0.0.1");
    expect(socket.describe().local).toBe("127.0.0.1");
    expect(socket.setDontFragment(true)).toBe(true);
    socket.close();
    socket.close();
  });

  test("cuts off an IPv4 header with options", () => {
    const pool = new PacketPool(8, MTU);
    const sender = open(pool, 4, "127.0.0.1");
    const receiver = open(pool, 4, "127.0.0.9");
    // IP_OPTIONS (4): three "no operation" and an end of list make the header 24 bytes.
    const options = new Uint8Array(new ArrayBuffer(4));
    options.set([1, 1, 1, 0]);
    expect(system.libc.setsockopt(sender.fd, 0, 4, pointerTo(options), 4)).toBe(0);
    const sent = datagrams([700]);
    sender.send(batchOf(pool, sent), at("127.0.0.9"), NONE);
    expect(isReady(receiver.fd)).toBe(true);
    expect(receiveAll(pool, receiver, 1)).toEqual(sent);
  });
});
