import { describe, expect, test } from "bun:test";
import { FREEBSD_ERRNO } from "../../ffi/errno.ts";
import { adoptFreebsdTun, openFreebsdTun } from "../../ffi/freebsd/tun.ts";
import { memoryAt } from "../../ffi/libc.ts";
import { TunDescriptor } from "../../ffi/tun.ts";
import { TunEdge } from "../../src/dataplane/tun-edge.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PACKET_FLAG, PacketPool } from "../../src/memory/packet-pool.ts";
import { build, content } from "../support/packets/build.ts";
import { isRight } from "../support/packets/checksums.ts";
import { type Answer, fakeLibc, textAt, writeText } from "./fake-libc.ts";

const TUN_FD = 5;
const SOCKET_FD = 6;
const O_FLAGS = 2 | 4 | 0x100000;

/** A kernel whose next free device is tun3. */
function kernel(overrides: Readonly<Record<string, Answer>> = {}) {
  const seen: string[] = [];
  const libc = fakeLibc({
    open: (path, flags) => {
      seen.push(`open ${textAt(path as number, 16)} ${flags === O_FLAGS}`);
      return textAt(path as number, 16) === "/dev/tun" ? TUN_FD : -FREEBSD_ERRNO.ENOENT;
    },
    ioctl: (fd, request, argument) => answerIoctl(seen, fd as number, request as number, argument as number),
    fcntl: () => 0,
    socket: () => SOCKET_FD,
    close: (fd) => {
      seen.push(`close ${fd}`);
      return 0;
    },
    ...overrides,
  });
  return { libc, seen };
}

function answerIoctl(seen: string[], fd: number, request: number, argument: number): number {
  switch (request) {
    case 0x80047460:
      seen.push(`TUNSIFHEAD ${memoryAt(argument, 4).join()}`);
      return 0;
    case 0x8004745e:
      seen.push(`TUNSIFMODE ${memoryAt(argument, 4).join()}`);
      return 0;
    case 0x2000745f:
      seen.push("TUNSIFPID");
      return 0;
    case 0x4020745d:
      writeText(argument, "tun3");
      return 0;
    case 0x80206928: {
      const to = Number(new DataView(memoryAt(argument, 32).slice().buffer).getBigUint64(16, true));
      seen.push(`SIOCSIFNAME ${fd} ${textAt(argument, 16)} ${textAt(to, 16)}`);
      return 0;
    }
    default:
      return -FREEBSD_ERRNO.ENOTTY;
  }
}

describe("openFreebsdTun", () => {
  test("clones a device, asks for the family header, takes the device over and renames it", () => {
    const { libc, seen } = kernel();
    const opened = openFreebsdTun(libc, "nc0");
    expect(opened).toMatchObject({ fd: TUN_FD, name: "nc0", format: { prefix: "family", prefixSize: 4 } });
    expect(seen).toEqual([
      "open /dev/nc0 true",
      "open /dev/tun true",
      "TUNSIFHEAD 1,0,0,0",
      "TUNSIFMODE 16,128,0,0",
      "TUNSIFPID",
      `SIOCSIFNAME ${SOCKET_FD} tun3 nc0`,
      `close ${SOCKET_FD}`,
    ]);
  });

  test("keeps the kernel's name when none is given", () => {
    expect(openFreebsdTun(kernel().libc, "").name).toBe("tun3");
  });

  test("closes the device when it cannot be set up", () => {
    const { libc, seen } = kernel({ ioctl: () => -FREEBSD_ERRNO.EPERM });
    expect(() => openFreebsdTun(libc, "nc0")).toThrow("TUNSIFHEAD: EPERM");
    expect(seen.at(-1)).toBe(`close ${TUN_FD}`);
  });

  test("refuses a name longer than 15 bytes", () => {
    expect(() => openFreebsdTun(kernel().libc, "netcombiner-is-long")).toThrow("longer than 15");
  });

  test("tells the driver of the new owner when it adopts a descriptor", () => {
    const { libc, seen } = kernel();
    expect(adoptFreebsdTun(libc, 3)).toMatchObject({ fd: 3, name: "tun3" });
    expect(seen).toEqual(["TUNSIFPID", "TUNSIFHEAD 1,0,0,0"]);
    expect(libc.calls).toContain("fcntl 3 4 4");
  });
});

describe("TunEdge over a FreeBSD device", () => {
  const packet = build({ version: 6, protocol: "udp", payload: content(100, 1) });

  function edgeOver(answers: Readonly<Record<string, Answer>>) {
    const { libc } = kernel(answers);
    const pool = new PacketPool(4, 1500);
    const tun = new TunDescriptor(openFreebsdTun(libc, ""), libc, FREEBSD_ERRNO);
    return { pool, tun, edge: new TunEdge(pool, tun, 4, libc), batch: new PacketBatch(4) };
  }

  test("takes the family off what it reads", () => {
    let left = 1;
    const { pool, edge, batch } = edgeOver({
      read: (_fd, address) => {
        if (left-- === 0) return -FREEBSD_ERRNO.EAGAIN;
        memoryAt(address as number, 4 + packet.length).set([0, 0, 0, 28, ...packet]);
        return 4 + packet.length;
      },
    });
    expect(edge.read(batch)).toBe(1);
    const at = pool.start[batch.at(0)] as number;
    expect(at).toBe(pool.origin(batch.at(0)));
    const length = pool.length[batch.at(0)] as number;
    expect(Array.from(pool.bytes.slice(at, at + length))).toEqual(Array.from(packet));
    expect(pool.free).toBe(3);
  });

  test("puts the family in network order before what it writes, its checksum completed", () => {
    const out: Uint8Array[] = [];
    const { pool, edge, batch } = edgeOver({
      writev: (_fd, iovecs, count) => {
        out.push(gather(iovecs as number, count as number));
        return 1;
      },
    });
    for (const version of [4, 6] as const) {
      const bytes = build({ version, protocol: "tcp", payload: content(77, 2), checksum: "partial" });
      const slot = pool.take();
      pool.bytes.set(bytes, pool.start[slot] as number);
      pool.length[slot] = bytes.length;
      pool.flags[slot] = PACKET_FLAG.CHECKSUM_PARTIAL;
      batch.push(slot);
    }
    expect(edge.write(batch)).toBe(2);
    expect(out.map((bytes) => Array.from(bytes.slice(0, 4)))).toEqual([
      [0, 0, 0, 2],
      [0, 0, 0, 28],
    ]);
    expect(out.every((bytes) => isRight(bytes.slice(4)))).toBe(true);
    expect(pool.free).toBe(4);
  });

  test("tells of a device that is gone, and gives back the slots of what it could not write", () => {
    const { pool, tun, edge, batch } = edgeOver({
      read: () => -FREEBSD_ERRNO.ENXIO,
      writev: () => -FREEBSD_ERRNO.EIO,
    });
    batch.push(pool.take());
    expect(edge.write(batch)).toBe(0);
    expect(edge.refused).toBe(1);
    expect(tun.isGone).toBe(false);
    batch.clear();
    expect(edge.read(batch)).toBe(0);
    expect(tun.isGone).toBe(true);
    expect(pool.free).toBe(4);
  });
});

function gather(iovecs: number, count: number): Uint8Array {
  const view = new DataView(memoryAt(iovecs, 16 * count).slice().buffer);
  const parts = Array.from({ length: count }, (_, i) =>
    memoryAt(Number(view.getBigUint64(16 * i, true)), Number(view.getBigUint64(16 * i + 8, true))).slice(),
  );
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}
