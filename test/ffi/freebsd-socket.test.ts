import { describe, expect, test } from "bun:test";
import { RawSocket } from "../../ffi/raw.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { UdpSocket } from "../../ffi/udp.ts";
import { formatEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { FreebsdLibrary } from "./freebsd-library.ts";
import { at, batchOf, bytesOf, NONE } from "./network.ts";

// By hand from netinet/in.h: size, family 2, port, address, eight zeros; size, family 28, port, flow, address, scope.
const ANY4 = "1002000000000000" + "0000000000000000";
const ANY6 = `1c1c000000000000${"00".repeat(16)}00000000`;
const MAPPED_10_0_0_1 = "00000000000000000000ffff0a000001";

/** struct msghdr of the first message sent. */
function headerOf(library: FreebsdLibrary): DataView {
  const header = library.messages[0]?.header;
  if (header === undefined) throw new Error("nothing was sent");
  return new DataView(header.buffer);
}

describe("UdpSocket on FreeBSD", () => {
  test("opens an IPv6 socket that carries IPv4, with numbers and structs of FreeBSD", () => {
    const library = new FreebsdLibrary();
    library.ownName = `1c1c1275${ANY6.slice(8)}`;
    const socket = UdpSocket.open(
      new PacketPool(4, 1500),
      { family: 0, local: NONE, interface: "em0" },
      library.system,
    );
    // AF_INET6 28, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP
    expect(library.call("socket")?.numbers).toEqual([28, 0x30000002, 17]);
    expect(library.call("bind")?.bytes).toBe(ANY6);
    const options = library.calls
      .filter((call) => call.name === "setsockopt")
      .map((c) => [...c.numbers.slice(1), c.bytes]);
    expect(options).toContainEqual([41, 27, "00000000"]); // IPV6_V6ONLY off
    expect(options).toContainEqual([41, 36, "01000000"]); // IPV6_RECVPKTINFO on
    // No SO_BINDTODEVICE (25), SO_RCVBUFFORCE (33) or UDP_GRO (104) there.
    expect(options.filter(([, name]) => name === 25 || name === 33 || name === 104)).toEqual([]);
    expect(socket.describe()).toMatchObject({ local: "[::]:4725", interface: undefined, gso: false, gro: false });
  });

  test("asks for less buffer until the system grants it", () => {
    const library = new FreebsdLibrary();
    library.ownName = ANY4;
    UdpSocket.open(new PacketPool(4, 1500), { family: 4, local: NONE }, library.system);
    const asked = library.calls.filter((call) => call.name === "setsockopt" && call.numbers[2] === 0x1002);
    expect(asked.map((call) => call.bytes)).toEqual(["00008000", "00004000", "00002000"]);
  });

  test("sends a datagram with struct msghdr, sockaddr_in and IP_SENDSRCADDR", () => {
    const library = new FreebsdLibrary();
    library.ownName = ANY4;
    const pool = new PacketPool(4, 1500);
    const socket = UdpSocket.open(pool, { family: 4, local: NONE }, library.system);
    const batch = batchOf(pool, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    expect(socket.send(batch, at("192.0.2.7", 4725), at("10.0.0.1"))).toBe(2);
    expect(library.messages).toHaveLength(2);
    const [first, second] = library.messages;
    expect(first?.name).toBe("10021275c00002070000000000000000");
    // cmsg_len 20, IPPROTO_IP, IP_SENDSRCADDR 7, 4 bytes of padding before the address, 4 after it
    expect(first?.control).toBe("14000000" + "00000000" + "07000000" + "00000000" + "0a000001" + "00000000");
    expect([first?.vectors, first?.payload, second?.payload]).toEqual([[3], "010203", "04"]);
    const header = headerOf(library);
    expect([header.getUint32(8, true), header.getInt32(24, true), header.getUint32(40, true)]).toEqual([16, 1, 24]);
  });

  test("gives no control pointer with no control message", () => {
    const library = new FreebsdLibrary();
    library.ownName = "10021275" + "0a000001" + "0000000000000000";
    const pool = new PacketPool(4, 1500);
    const socket = UdpSocket.open(pool, { family: 4, local: at("10.0.0.1", 4725) }, library.system);
    expect(library.call("bind")?.bytes).toBe(library.ownName);
    socket.send(batchOf(pool, [Uint8Array.of(1)]), at("192.0.2.7", 1), at("10.0.0.9"));
    const header = headerOf(library);
    expect([header.getBigUint64(32, true), header.getUint32(40, true)]).toEqual([0n, 0]);
  });

  test("sends IPv4 through an IPv6 socket as mapped, from a mapped address", () => {
    const library = new FreebsdLibrary();
    library.ownName = ANY6;
    const pool = new PacketPool(4, 1500);
    const socket = UdpSocket.open(pool, { family: 0, local: NONE }, library.system);
    socket.send(batchOf(pool, [Uint8Array.of(9)]), at("192.0.2.7", 4725), at("10.0.0.1"));
    expect(library.messages[0]?.name).toBe("1c1c1275" + "00000000" + "00000000000000000000ffffc0000207" + "00000000");
    // cmsg_len 36, IPPROTO_IPV6, IPV6_PKTINFO 46, padding, address, interface 0, padding
    expect(library.messages[0]?.control).toBe(`24000000290000002e00000000000000${MAPPED_10_0_0_1}0000000000000000`);
    socket.send(batchOf(pool, [Uint8Array.of(9)]), at("fe80::2%3", 1), at("fe80::1%3"));
    expect(library.messages[1]?.name).toBe("1c1c0001" + "00000000" + "fe800000000000000000000000000002" + "03000000");
    expect(library.messages[1]?.control.slice(32, 72)).toBe("fe800000000000000000000000000001" + "03000000");
  });

  test("receives a datagram with its sender and IP_RECVDSTADDR", () => {
    const library = new FreebsdLibrary();
    library.ownName = `10021275${"00".repeat(12)}`;
    const pool = new PacketPool(4, 1500);
    const socket = UdpSocket.open(pool, { family: 4, local: NONE }, library.system);
    library.incoming.push({
      name: `1002c350c6336401${"00".repeat(8)}`,
      control: "14000000" + "00000000" + "07000000" + "00000000" + "0a000001",
      payload: "0102030405",
      flags: 0,
    });
    const batch = new PacketBatch(8);
    expect(socket.receive(batch)).toBe(1);
    expect(formatEndpoint(batch.remote)).toBe("198.51.100.1:50000");
    expect(formatEndpoint(batch.local)).toBe("10.0.0.1:4725");
    expect(bytesOf(pool, batch.at(0))).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
    // MSG_TRUNC is 0x10 there
    library.incoming.push({ name: `1002c350c6336401${"00".repeat(8)}`, control: "", payload: "01", flags: 0x10 });
    batch.clear();
    expect([socket.receive(batch), pool.length[batch.at(0)]]).toEqual([1, 0]);
  });

  test("forbids fragments with IP_DONTFRAG and IPV6_DONTFRAG", () => {
    const library = new FreebsdLibrary();
    library.ownName = ANY6;
    const socket = UdpSocket.open(new PacketPool(4, 1500), { family: 0, local: NONE }, library.system);
    library.calls.length = 0;
    socket.setDontFragment(true);
    expect(library.calls.map((call) => [...call.numbers, call.bytes])).toEqual([
      [7, 0, 67, "01000000"],
      [7, 41, 62, "01000000"],
    ]);
  });
});

describe("RawSocket on FreeBSD", () => {
  test("takes the local address from the IPv4 header and sends no source address", () => {
    const library = new FreebsdLibrary();
    library.ownName = `100200fd${"00".repeat(12)}`;
    const pool = new PacketPool(4, 1500);
    const socket = RawSocket.open(pool, { family: 4, local: NONE }, library.system);
    expect(library.call("socket")?.numbers).toEqual([2, 0x30000003, 253]);
    const header = "45000017" + "00000000" + "40fd0000" + "c6336401" + "0a000001";
    library.incoming.push({
      name: "10020000c63364010000000000000000",
      control: "",
      payload: `${header}aabbcc`,
      flags: 0,
    });
    const batch = new PacketBatch(8);
    expect(socket.receive(batch)).toBe(1);
    expect([formatEndpoint(batch.remote), formatEndpoint(batch.local)]).toEqual(["198.51.100.1", "10.0.0.1"]);
    expect(bytesOf(pool, batch.at(0))).toEqual(Uint8Array.of(0xaa, 0xbb, 0xcc));
    socket.send(batch, batch.remote, batch.local);
    expect(library.messages[0]).toMatchObject({
      name: "10020000c63364010000000000000000",
      control: "",
      payload: "aabbcc",
    });
  });

  test("parts datagrams to different addresses by their header", () => {
    const library = new FreebsdLibrary();
    library.ownName = ANY4;
    const socket = RawSocket.open(new PacketPool(8, 1500), { family: 4, local: NONE }, library.system);
    const name = "10020000c63364010000000000000000";
    for (const destination of ["0a000001", "0a000002"]) {
      const payload = `450000150000000040fd0000c6336401${destination}aa`;
      library.incoming.push({ name, control: "", payload, flags: 0 });
    }
    const batch = new PacketBatch(8);
    const seen: string[] = [];
    while (socket.receive(batch) > 0) seen.push(`${batch.count} ${formatEndpoint(batch.local)}`);
    expect(seen).toEqual(["1 10.0.0.1", "2 10.0.0.2"]);
  });

  test("hands over a malformed IPv4 header with length 0", () => {
    const library = new FreebsdLibrary();
    library.ownName = ANY4;
    const pool = new PacketPool(8, 1500);
    const socket = RawSocket.open(pool, { family: 4, local: NONE }, library.system);
    for (const payload of ["45", "60".padEnd(80, "0"), "44".padEnd(80, "0"), "4f".padEnd(80, "0")])
      library.incoming.push({ name: "10020000c63364010000000000000000", control: "", payload, flags: 0 });
    const batch = new PacketBatch(8);
    while (socket.receive(batch) > 0);
    expect([...batch.slots.slice(0, batch.count)].map((slot) => pool.length[slot])).toEqual([0, 0, 0, 0]);
  });
});

describe("TcpStream on FreeBSD", () => {
  test("bounds the send buffer instead of the unsent bytes, and frames in one message without a name", () => {
    const library = new FreebsdLibrary();
    library.ownName = `10029c400a000001${"00".repeat(8)}`;
    const pool = new PacketPool(4, 1500);
    const request = { family: 0, local: NONE, remote: at("192.0.2.7", 4725), userTimeout: 1000 } as const;
    const stream = TcpStream.connect(pool, request, library.system);
    expect(library.call("socket")?.numbers).toEqual([2, 0x30000001, 6]);
    expect(library.call("connect")?.bytes).toBe("10021275c00002070000000000000000");
    const options = library.calls
      .filter((call) => call.name === "setsockopt")
      .map((c) => [...c.numbers.slice(1), c.bytes]);
    expect(options).toEqual([
      [6, 1, "01000000"],
      [0xffff, 0x1001, "00000400"],
    ]);
    expect(stream.state).toBe("open");
    expect(stream.send(batchOf(pool, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]), NONE, NONE)).toBe(2);
    expect(library.messages[0]).toMatchObject({
      name: "",
      control: "",
      vectors: [7, 5],
      payload: "000000030102030000000104",
    });
    const header = headerOf(library);
    expect([header.getBigUint64(0, true), header.getBigUint64(32, true)]).toEqual([0n, 0n]);
  });
});
