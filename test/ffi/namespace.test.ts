import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ERRNO } from "../../ffi/errno.ts";
import { RawSocket } from "../../ffi/raw.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import { UdpSocket } from "../../ffi/udp.ts";
import { formatAddress, portOf } from "../../src/endpoint.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { STEP_MILLIS } from "../support/limits.ts";
import { at, batchOf, datagrams, isReady, isRoot, Namespace, NONE, receiveAll, releaseAll } from "./network.ts";

const MTU = 1400;
const COUNT = 40;

/** The kernel makes the route to a new IPv6 address of its own after it has answered; without it packets look for a neighbour. */
function untilLocal(host: Namespace, address: string, device: string): void {
  for (const end = performance.now() + STEP_MILLIS; performance.now() < end; ) {
    if (host.ip(`-6 route get ${address} oif ${device}`).startsWith("local ")) return;
  }
  throw new Error(`${address} does not become local`);
}

/**
 * A host with two interfaces on one subnet, both on the bridge of another host.
 *
 *     near: a0 10.77.0.1/24, a1 10.77.0.2/24, fd77::1 on a0    far: br0 10.77.0.10/24 and 10.77.0.11, fd77::10
 */
describe.skipIf(!isRoot)("Sockets between hosts", () => {
  let near: Namespace;
  let far: Namespace;
  const pool = new PacketPool(512, MTU);

  beforeAll(() => {
    near = new Namespace("a");
    far = new Namespace("b");
    // Two addresses on one subnet: each interface must answer for its own alone.
    near.run("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.rp_filter=0");
    far.ip("link add br0 type bridge");
    for (const i of [0, 1]) {
      near.ip(`link add a${i} type veth peer name b${i} netns ${far.name}`);
      far.ip(`link set b${i} master br0 up`);
      near.ip(`addr add 10.77.0.${i + 1}/24 dev a${i}`);
      near.ip(`link set a${i} up`);
    }
    near.ip("addr add fd77::1/64 dev a0 nodad");
    far.ip("addr add 10.77.0.10/24 dev br0");
    far.ip("addr add 10.77.0.11/24 dev br0");
    far.ip("addr add fd77::10/64 dev br0 nodad");
    far.ip("link set br0 up");
  });

  afterAll(() => {
    near?.remove();
    far?.remove();
  });

  function sentBy(device: string): number {
    const [link] = JSON.parse(near.ip(`-s -j link show ${device}`));
    return link.stats64.tx.packets;
  }

  for (const i of [0, 1]) {
    test(`a datagram socket of interface ${i} leaves and is answered by that interface`, () => {
      const socket = near.enter(() =>
        UdpSocket.open(pool, { family: 4, local: at(`10.77.0.${i + 1}`), interface: `a${i}`, gso: false }),
      );
      const listener = far.enter(() => UdpSocket.open(pool, { family: 0, local: NONE }));
      const before = [sentBy("a0"), sentBy("a1")];
      const batch = batchOf(pool, datagrams(new Array(COUNT).fill(500)));
      socket.send(batch, at("10.77.0.11", portOf(listener.local)), NONE);
      releaseAll(pool, batch);
      receiveAll(pool, listener, COUNT, (asked) => {
        expect(formatAddress(asked.local)).toBe("10.77.0.11");
        listener.send(asked, asked.remote, asked.local);
      });
      receiveAll(pool, socket, COUNT, (answer) => expect(formatAddress(answer.remote)).toBe("10.77.0.11"));
      const after = [sentBy("a0"), sentBy("a1")];
      expect(socket.counters.received).toBe(COUNT);
      expect((after[i] as number) - (before[i] as number)).toBeGreaterThanOrEqual(COUNT);
      expect((after[1 - i] as number) - (before[1 - i] as number)).toBeLessThan(COUNT / 2);
      expect(socket.describe().interface).toBe(`a${i}`);
      socket.close();
      listener.close();
    });

    test(`a stream of interface ${i} leaves by that interface`, () => {
      const listener = far.enter(() => TcpListener.open(pool, { family: 0, local: NONE }));
      const remote = at("10.77.0.10", portOf(listener.local));
      const before = [sentBy("a0"), sentBy("a1")];
      const request = { family: 0, local: at(`10.77.0.${i + 1}`), interface: `a${i}`, remote } as const;
      const stream = near.enter(() => TcpStream.connect(pool, request));
      expect(isReady(listener.fd)).toBe(true);
      const [accepted] = listener.accept();
      expect(isReady(stream.fd, 4)).toBe(true);
      const batch = batchOf(pool, datagrams(new Array(20).fill(1000)));
      expect(stream.send(batch, NONE, NONE)).toBe(20);
      releaseAll(pool, batch);
      expect(receiveAll(pool, accepted as TcpStream, 20)).toHaveLength(20);
      expect(sentBy(`a${i}`)).toBeGreaterThan((before[i] as number) + 2);
      expect(formatAddress((accepted as TcpStream).remote)).toBe(`10.77.0.${i + 1}`);
      for (const thing of [stream, accepted, listener]) thing?.close();
    });

    test(`datagrams in IP packets leave by interface ${i}`, () => {
      const socket = near.enter(() =>
        RawSocket.open(pool, { family: 4, local: at(`10.77.0.${i + 1}`), interface: `a${i}` }),
      );
      const listener = far.enter(() => RawSocket.open(pool, { family: 4, local: NONE }));
      const before = [sentBy("a0"), sentBy("a1")];
      const batch = batchOf(pool, datagrams(new Array(COUNT).fill(500)));
      socket.send(batch, at("10.77.0.11"), NONE);
      releaseAll(pool, batch);
      receiveAll(pool, listener, COUNT, (asked) => listener.send(asked, asked.remote, asked.local));
      receiveAll(pool, socket, COUNT, (answer) => expect(formatAddress(answer.remote)).toBe("10.77.0.11"));
      expect(socket.counters.received).toBe(COUNT);
      expect(sentBy(`a${i}`)).toBeGreaterThanOrEqual((before[i] as number) + COUNT);
      socket.close();
      listener.close();
    });
  }

  test("datagrams above the device's MTU are fragmented, or counted as too big when that is forbidden", () => {
    const large = new PacketPool(64, 3000);
    const socket = near.enter(() => UdpSocket.open(large, { family: 4, local: NONE }));
    const listener = far.enter(() => UdpSocket.open(large, { family: 0, local: NONE }));
    const to = at("10.77.0.10", portOf(listener.local));
    const sent = datagrams(new Array(10).fill(2000));
    const batch = batchOf(large, sent);
    expect(socket.send(batch, to, NONE)).toBe(10);
    expect(receiveAll(large, listener, 10)).toEqual(sent);
    expect(socket.setDontFragment(true)).toBe(true);
    expect(socket.send(batch, to, NONE)).toBe(10);
    expect([socket.counters.tooBig, socket.counters.tooBigSize]).toEqual([10, 2000]);
    expect(socket.setDontFragment(false)).toBe(true);
    expect(socket.send(batch, to, NONE)).toBe(10);
    expect(receiveAll(large, listener, 10)).toEqual(sent);
    expect(socket.describe().gso).toBe(true);
    socket.close();
    listener.close();
  });

  test("segmented runs cross a device and arrive as sent, over IPv4 and IPv6", () => {
    for (const [from, to] of [
      ["10.77.0.1", "10.77.0.10"],
      ["fd77::1", "fd77::10"],
    ] as const) {
      const socket = near.enter(() => UdpSocket.open(pool, { family: 0, local: at(from) }));
      const listener = far.enter(() => UdpSocket.open(pool, { family: 0, local: NONE }));
      const sent = datagrams([...new Array(60).fill(1300), 77, 1300, 1300]);
      const batch = batchOf(pool, sent);
      expect(socket.send(batch, at(to, portOf(listener.local)), NONE)).toBe(63);
      releaseAll(pool, batch);
      expect(receiveAll(pool, listener, 63, (got) => expect(formatAddress(got.local)).toBe(to))).toEqual(sent);
      socket.close();
      listener.close();
    }
  });

  test("a host that cannot be reached is told by the counters, not by the end of the socket", () => {
    const socket = near.enter(() => UdpSocket.open(pool, { family: 0, local: NONE }));
    const batch = batchOf(pool, datagrams([100, 100, 50]));
    expect(socket.send(batch, at("192.0.2.1", 9), NONE)).toBe(3);
    expect(socket.counters.lost).toBe(3);
    expect(socket.counters.lastError).toBe(ERRNO.ENETUNREACH);
    releaseAll(pool, batch);
    socket.close();
  });

  test("an interface that does not exist is refused at opening", () => {
    expect(() => UdpSocket.open(pool, { family: 4, local: NONE, interface: "nothere0" })).toThrow("nothere0: ENODEV");
    expect(() => UdpSocket.open(pool, { family: 4, local: NONE, interface: "a-name-far-too-long" })).toThrow("ENODEV");
  });

  test("link-local addresses keep their scope", () => {
    const scope = Number(near.run("cat /sys/class/net/a0/ifindex"));
    const listener = near.enter(() => UdpSocket.open(pool, { family: 0, local: NONE }));
    const address = "fe80::77";
    near.ip(`addr add ${address}/64 dev a0 nodad`);
    untilLocal(near, address, "a0");
    const batch = batchOf(pool, datagrams([10]));
    expect(listener.send(batch, at(`${address}%${scope}`, portOf(listener.local)), NONE)).toBe(1);
    receiveAll(pool, listener, 1, (got) => {
      expect(formatAddress(got.remote)).toBe(`${address}%${scope}`);
      expect(formatAddress(got.local)).toBe(`${address}%${scope}`);
    });
    expect(listener.counters.received).toBe(1);
    releaseAll(pool, batch);
    listener.close();
  });
});
