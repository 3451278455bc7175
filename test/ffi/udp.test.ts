import { afterEach, describe, expect, test } from "bun:test";
import { ERRNO } from "../../ffi/errno.ts";
import { pointerTo } from "../../ffi/libc.ts";
import { type SocketSystem, systemSockets } from "../../ffi/socket-system.ts";
import { type UdpRequest, UdpSocket } from "../../ffi/udp.ts";
import { createEndpoint, formatAddress, formatEndpoint, portOf, setPort } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { SeededRandom } from "../support/random.ts";
import { at, batchOf, datagrams, isReady, NONE, receiveAll, releaseAll, SEED } from "./network.ts";

const MTU = 1500;
const system = systemSockets();
const sockets: UdpSocket[] = [];

function open(pool: PacketPool, request: Partial<UdpRequest>, on: SocketSystem = system): UdpSocket {
  const socket = UdpSocket.open(pool, { family: 0, local: NONE, ...request }, on);
  sockets.push(socket);
  return socket;
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** The system without recvmmsg and sendmmsg. */
const single: SocketSystem = { ...system, libc: { ...system.libc, sendmmsg: undefined, recvmmsg: undefined } };

/** A kernel that refuses segmented sends (those with a control message) with `errno`. */
function refusing(errno: number, refused: { count: number }): SocketSystem {
  let last = 0;
  const sendmsg: typeof system.libc.sendmsg = (fd, message, flags) => {
    const control = new Uint32Array(new Uint8Array(memory(message + 40, 8)).buffer)[0];
    last = control === 0 ? 0 : errno;
    if (last !== 0) refused.count++;
    return last === 0 ? system.libc.sendmsg(fd, message, flags) : -1;
  };
  return { ...system, libc: { ...system.libc, sendmsg, errno: () => last || system.libc.errno() } };
}

function memory(address: number, length: number): Uint8Array {
  const out = new Uint8Array(new ArrayBuffer(length));
  system.libc.memcpy(pointerTo(out), address, length);
  return out;
}

const WAYS: [string, Partial<UdpRequest>, Partial<UdpRequest>, SocketSystem][] = [
  ["with both offloads", { gso: true }, { gro: true }, system],
  ["with segmented sends alone", { gso: true }, { gro: false }, system],
  ["with joined receives alone", { gso: false }, { gro: true }, system],
  ["without offloads", { gso: false }, { gro: false }, system],
  ["without offloads and calls for many", { gso: false }, { gro: false }, single],
];
const FAMILIES: [string, string, string][] = [
  ["over IPv4", "127.0.0.1", "127.0.0.1"],
  ["over IPv6", "::1", "::1"],
];

describe("UdpSocket", () => {
  for (const [way, sending, receiving, on] of WAYS) {
    for (const [over, from, to] of FAMILIES) {
      test(`delivers every size from 1 to the MTU in order ${way} ${over}`, () => {
        const pool = new PacketPool(256, MTU);
        const sender = open(pool, { ...sending, local: at(from) }, on);
        const receiver = open(pool, { ...receiving, local: at(to) }, on);
        const random = new SeededRandom(SEED);
        const lengths = Array.from({ length: MTU }, (_, i) => i + 1);
        // Runs of equal lengths among them, so that there is something to join.
        for (let i = 0; i < 20; i++) lengths.push(...new Array(random.below(70) + 1).fill(random.below(MTU) + 1));
        const sent = datagrams(lengths);
        const back: Uint8Array[] = [];
        for (let i = 0; i < sent.length; i += 64) {
          const batch = batchOf(pool, sent.slice(i, i + 64));
          expect(sender.send(batch, receiver.local, NONE)).toBe(batch.count);
          const count = batch.count;
          releaseAll(pool, batch);
          back.push(...receiveAll(pool, receiver, count));
        }
        expect({ seed: SEED, equal: Bun.deepEquals(back, sent) }).toEqual({ seed: SEED, equal: true });
        expect(receiver.counters.received).toBe(sent.length);
        expect(pool.free).toBe(pool.count);
      });
    }

    test(`answers from the address it was asked at ${way}`, () => {
      const pool = new PacketPool(64, MTU);
      const listener = open(pool, { ...receiving, ...sending }, on);
      for (const address of ["127.0.0.1", "127.0.0.7", "::1"]) {
        const asker = open(pool, { ...receiving, ...sending, local: at(address === "::1" ? "::1" : "127.0.0.1") }, on);
        const batch = batchOf(pool, datagrams([100, 100, 40]));
        asker.send(batch, at(address, portOf(listener.local)), NONE);
        releaseAll(pool, batch);
        receiveAll(pool, listener, 3, (asked) => {
          expect(formatEndpoint(asked.remote)).toBe(formatEndpoint(asker.local));
          expect(formatAddress(asked.local)).toBe(address);
          expect(listener.send(asked, asked.remote, asked.local)).toBe(asked.count);
        });
        receiveAll(pool, asker, 3, (answer) => {
          expect(formatEndpoint(answer.remote)).toBe(formatEndpoint(at(address, portOf(listener.local))));
        });
        expect(asker.counters.received).toBe(3);
      }
    });

    test(`keeps datagrams of different senders in different batches ${way}`, () => {
      const pool = new PacketPool(64, MTU);
      const listener = open(pool, { ...receiving }, on);
      const senders = [0, 1, 2].map(() => open(pool, { ...sending, local: at("127.0.0.1") }, on));
      const target = at("127.0.0.1", portOf(listener.local));
      for (let round = 0; round < 5; round++)
        for (const sender of senders) {
          const batch = batchOf(pool, [Uint8Array.of(portOf(sender.local) >> 8, portOf(sender.local) & 0xff)]);
          sender.send(batch, target, NONE);
          releaseAll(pool, batch);
        }
      let seen = 0;
      receiveAll(pool, listener, 15, (batch) => {
        for (let i = 0; i < batch.count; i++) {
          expect(pool.view.getUint16(pool.start[batch.at(i)] as number)).toBe(portOf(batch.remote));
          seen++;
        }
      });
      expect(seen).toBe(15);
      expect(pool.free).toBe(pool.count);
    });

    test(`hands over a datagram longer than a slot with length 0 ${way}`, () => {
      const large = new PacketPool(8, 4000);
      const small = new PacketPool(8, 1000);
      const sender = open(large, { ...sending, local: at("127.0.0.1") }, on);
      const receiver = open(small, { ...receiving, local: at("127.0.0.1") }, on);
      const batch = batchOf(large, datagrams([300, 3000, 200]));
      expect(sender.send(batch, receiver.local, NONE)).toBe(3);
      const lengths = receiveAll(small, receiver, 3).map((bytes) => bytes.length);
      expect(lengths).toEqual([300, 0, 200]);
      expect(receiver.counters.truncated).toBe(1);
    });

    test(`drops and counts what finds no slot, and serves what comes later ${way}`, () => {
      const pool = new PacketPool(32, MTU);
      const sender = open(pool, { ...sending, local: at("127.0.0.1") }, on);
      const receiver = open(pool, { ...receiving, local: at("127.0.0.1") }, on);
      const batch = batchOf(pool, datagrams([500, 500, 500]));
      sender.send(batch, receiver.local, NONE);
      const hoard: number[] = [];
      for (let slot = pool.take(); slot >= 0; slot = pool.take()) hoard.push(slot);
      const into = new PacketBatch(8);
      for (let i = 0; i < 3 && receiver.counters.noSlot < 3; i++) {
        expect(isReady(receiver.fd)).toBe(true);
        expect(receiver.receive(into)).toBe(0);
      }
      expect(receiver.counters.noSlot).toBe(3);
      for (const slot of hoard) pool.release(slot);
      sender.send(batch, receiver.local, NONE);
      expect(receiveAll(pool, receiver, 3)).toHaveLength(3);
    });
  }

  test("sends a run in one call and receives it in one", () => {
    const pool = new PacketPool(128, MTU);
    const calls = { sendmsg: 0, recvmsg: 0 };
    const sendmsg: typeof system.libc.sendmsg = (...args) => {
      calls.sendmsg++;
      return system.libc.sendmsg(...args);
    };
    const recvmsg: typeof system.libc.recvmsg = (...args) => {
      calls.recvmsg++;
      return system.libc.recvmsg(...args);
    };
    const counting = { ...system, libc: { ...system.libc, sendmsg, recvmsg } };
    const sender = open(pool, { local: at("127.0.0.1") }, counting);
    const receiver = open(pool, { local: at("127.0.0.1") }, counting);
    sender.send(batchOf(pool, datagrams(new Array(40).fill(700))), receiver.local, NONE);
    expect(receiveAll(pool, receiver, 40, () => {}, 64)).toHaveLength(40);
    expect(calls).toEqual({ sendmsg: 1, recvmsg: 1 });
  });

  test("cuts a joined run over several small batches", () => {
    const pool = new PacketPool(128, MTU);
    const sender = open(pool, { local: at("127.0.0.1") });
    const receiver = open(pool, { local: at("127.0.0.1") });
    const sent = datagrams(new Array(40).fill(700));
    sender.send(batchOf(pool, sent), receiver.local, NONE);
    let batches = 0;
    const back = receiveAll(pool, receiver, 40, () => batches++, 7);
    expect(back).toEqual(sent);
    expect(batches).toBeGreaterThanOrEqual(6);
    expect(receiver.hasPending).toBe(false);
  });

  test("turns segmentation off for good when the device cannot", () => {
    const pool = new PacketPool(64, MTU);
    const refused = { count: 0 };
    const sender = open(pool, { local: at("127.0.0.1") }, refusing(ERRNO.EIO, refused));
    const receiver = open(pool, { local: at("127.0.0.1") });
    const sent = datagrams(new Array(10).fill(900));
    const batch = batchOf(pool, sent);
    expect(sender.describe().gso).toBe(true);
    for (let i = 0; i < 2; i++) {
      expect(sender.send(batch, receiver.local, NONE)).toBe(10);
      expect(receiveAll(pool, receiver, 10)).toEqual(sent);
    }
    expect(sender.describe().gso).toBe(false);
    expect(refused.count).toBe(1);
  });

  test("resends a run above the path's size singly and keeps segmentation", () => {
    const pool = new PacketPool(64, MTU);
    const refused = { count: 0 };
    const sender = open(pool, { local: at("127.0.0.1") }, refusing(ERRNO.EMSGSIZE, refused));
    const receiver = open(pool, { local: at("127.0.0.1") });
    const sent = datagrams(new Array(10).fill(900));
    expect(sender.send(batchOf(pool, sent), receiver.local, NONE)).toBe(10);
    expect(receiveAll(pool, receiver, 10)).toEqual(sent);
    expect([sender.describe().gso, refused.count]).toEqual([true, 1]);
  });

  test("says how many went when the kernel is full", () => {
    const pool = new PacketPool(64, MTU);
    let left = 5;
    const sendmsg: typeof system.libc.sendmsg = (...args) => (left-- > 0 ? system.libc.sendmsg(...args) : -1);
    const full = { ...single, libc: { ...single.libc, sendmsg, errno: () => ERRNO.EAGAIN } };
    const sender = open(pool, { local: at("127.0.0.1"), gso: false }, full);
    const batch = batchOf(pool, datagrams(new Array(9).fill(50)));
    expect(sender.send(batch, at("127.0.0.1", 9), NONE)).toBe(5);
    expect(sender.counters.sent).toBe(5);
  });

  for (const [what, kernel] of [
    ["one by one", single],
    ["many in a call", system],
  ] as const) {
    test(`skips a refused datagram and no other, ${what}`, () => {
      const pool = new PacketPool(64, MTU);
      let sent = 0;
      let isRefused = false;
      // The third datagram alone is refused; a call for many ends before it, as sendmmsg(2) does.
      const limit = (count: number, call: (count: number) => number): number => {
        isRefused = sent === 2;
        const result = isRefused ? -1 : call(sent < 2 ? Math.min(count, 2 - sent) : count);
        sent += isRefused ? 1 : result;
        return result;
      };
      const { libc } = kernel;
      const sendmsg: typeof libc.sendmsg = (fd, message, flags) =>
        limit(1, () => (libc.sendmsg(fd, message, flags) < 0 ? -1 : 1));
      const many = libc.sendmmsg;
      const sendmmsg: typeof libc.sendmmsg =
        many && ((fd, messages, count, flags) => limit(count, (allowed) => many(fd, messages, allowed, flags)));
      const on = {
        ...kernel,
        libc: { ...libc, sendmsg, sendmmsg, errno: () => (isRefused ? ERRNO.EPERM : libc.errno()) },
      };
      const sender = open(pool, { local: at("127.0.0.1"), gso: false }, on);
      const receiver = open(pool, { local: at("127.0.0.1") });
      const contents = datagrams([10, 20, 30, 40, 50]);
      expect(sender.send(batchOf(pool, contents), receiver.local, NONE)).toBe(5);
      expect(receiveAll(pool, receiver, 4).map((bytes) => bytes.length)).toEqual([10, 20, 40, 50]);
      const { lost, lastError } = sender.counters;
      expect([sender.counters.sent, lost, lastError]).toEqual([4, 1, ERRNO.EPERM]);
    });
  }

  test("counts datagrams to nowhere as taken and lost, with the reason", () => {
    const pool = new PacketPool(64, MTU);
    const sender = open(pool, { family: 4, local: at("127.0.0.1") });
    const batch = batchOf(pool, datagrams([50, 60]));
    expect(sender.send(batch, at("::1", 9), NONE)).toBe(2);
    expect(sender.counters.lastError).toBe(ERRNO.EAFNOSUPPORT);
    // A source on loopback cannot leave for elsewhere: EINVAL on Linux.
    expect(sender.send(batch, at("192.0.2.1", 9), NONE)).toBe(2);
    expect(sender.counters.lost).toBe(4);
    expect(sender.counters.lastError).not.toBe(0);
  });

  test("falls back to IPv4 alone where the host has no IPv6", () => {
    let last = 0;
    const socket: typeof system.libc.socket = (domain, type, protocol) => {
      last = domain === system.layout.AF_INET6 ? ERRNO.EAFNOSUPPORT : 0;
      return last === 0 ? system.libc.socket(domain, type, protocol) : -1;
    };
    const old = { ...system, libc: { ...system.libc, socket, errno: () => last || system.libc.errno() } };
    const pool = new PacketPool(16, MTU);
    const listener = open(pool, {}, old);
    expect(listener.describe().local).toStartWith("0.0.0.0:");
    const sender = open(pool, { local: at("127.0.0.1") });
    sender.send(batchOf(pool, datagrams([9])), at("127.0.0.1", portOf(listener.local)), NONE);
    expect(receiveAll(pool, listener, 1)).toHaveLength(1);
  });

  for (const gro of [true, false]) {
    test(`counts an error told by a receiving call and goes on, joined receives ${gro}`, () => {
      const pool = new PacketPool(16, MTU);
      let failures = 3;
      let isFailing = false;
      const fail = (call: () => number): number => {
        isFailing = failures-- > 0;
        return isFailing ? -1 : call();
      };
      const libc = {
        ...system.libc,
        recvmsg: (fd: number, message: number, flags: number) => fail(() => system.libc.recvmsg(fd, message, flags)),
        recvmmsg: undefined,
        errno: () => (isFailing ? ERRNO.ECONNREFUSED : system.libc.errno()),
      };
      const receiver = open(pool, { local: at("127.0.0.1"), gro }, { ...system, libc });
      const sender = open(pool, { local: at("127.0.0.1") });
      const sent = datagrams([40]);
      sender.send(batchOf(pool, sent), receiver.local, NONE);
      expect(receiveAll(pool, receiver, 1)).toEqual(sent);
      expect([receiver.counters.errors, receiver.counters.lastError]).toEqual([3, ERRNO.ECONNREFUSED]);
    });
  }

  test("gives back the slots of what was read and not handed over when it closes", () => {
    const pool = new PacketPool(16, MTU);
    const receiver = open(pool, { local: at("127.0.0.1"), gro: false });
    for (let i = 0; i < 2; i++) {
      const sender = open(pool, { local: at("127.0.0.1") });
      const batch = batchOf(pool, datagrams([40]));
      sender.send(batch, receiver.local, NONE);
      releaseAll(pool, batch);
    }
    const batch = new PacketBatch(8);
    expect([receiver.receive(batch), receiver.hasPending]).toEqual([1, true]);
    releaseAll(pool, batch);
    expect(pool.free).toBe(pool.count - 1);
    receiver.close();
    expect(pool.free).toBe(pool.count);
  });

  test("gives no local address where the kernel does not tell it", () => {
    const setsockopt: typeof system.libc.setsockopt = (fd, level, name, value, length) =>
      name === system.numbers.IPV6_RECVPKTINFO ? -1 : system.libc.setsockopt(fd, level, name, value, length);
    const old = { ...system, libc: { ...system.libc, setsockopt } };
    const pool = new PacketPool(16, MTU);
    for (const gro of [true, false]) {
      const listener = open(pool, { gro }, old);
      const sender = open(pool, { local: at("127.0.0.1") });
      sender.send(batchOf(pool, datagrams([9])), at("127.0.0.1", portOf(listener.local)), NONE);
      receiveAll(pool, listener, 1, (batch) => expect(formatEndpoint(batch.local)).toBe("none"));
      expect(listener.counters.received).toBe(1);
    }
  });

  test("refuses an address that is not the host's, and leaves no descriptor", () => {
    const pool = new PacketPool(4, MTU);
    let closed = 0;
    const close: typeof system.libc.close = (fd) => {
      closed++;
      return system.libc.close(fd);
    };
    const on = { ...system, libc: { ...system.libc, close } };
    expect(() => open(pool, { local: at("192.0.2.1") }, on)).toThrow("EADDRNOTAVAIL");
    expect(closed).toBe(1);
  });

  test("listens at a port of every address when told one", () => {
    const pool = new PacketPool(4, MTU);
    const first = open(pool, {});
    const local = createEndpoint();
    setPort(local, portOf(first.local));
    expect(() => open(pool, { local })).toThrow("EADDRINUSE");
  });
});
