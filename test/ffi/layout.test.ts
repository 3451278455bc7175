import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LINUX_ERRNO } from "../../ffi/errno.ts";
import { FREEBSD } from "../../ffi/freebsd/constants.ts";
import { TUN_IOCTL as FREEBSD_TUN } from "../../ffi/freebsd/tun.ts";
import { LINUX } from "../../ffi/linux/constants.ts";
import { IFF_NO_PI, IFF_TAP, IFF_TUN, IFF_VNET_HDR, TUN_IOCTL, VNET_HEADER_SIZE } from "../../ffi/linux/tun.ts";

/** sys/ioccom.h: direction, 13 bits of length, group and number. */
const VOID = 0x2000_0000;
const OUT = 0x4000_0000;
const IN = 0x8000_0000;
const ioc = (direction: number, group: string, number: number, length: number) =>
  direction + (length & 0x1fff) * 0x1_0000 + group.charCodeAt(0) * 0x100 + number;

describe("the FreeBSD table", () => {
  test("has the ioctls that the formula of ioccom.h gives", () => {
    expect<number>(FREEBSD_TUN.TUNSIFHEAD).toBe(ioc(IN, "t", 96, 4));
    expect<number>(FREEBSD_TUN.TUNSIFMODE).toBe(ioc(IN, "t", 94, 4));
    expect<number>(FREEBSD_TUN.TUNSIFPID).toBe(ioc(VOID, "t", 95, 0));
    expect<number>(FREEBSD_TUN.TUNGIFNAME).toBe(ioc(OUT, "t", 93, FREEBSD.ifreq.size));
    expect<number>(FREEBSD_TUN.SIOCSIFNAME).toBe(ioc(IN, "i", 40, FREEBSD.ifreq.size));
    expect<number>(FREEBSD.SIOCGIFFLAGS).toBe(ioc(IN + OUT, "i", 17, FREEBSD.ifreq.size));
    expect<number>(FREEBSD.SIOCGIFMTU).toBe(ioc(IN + OUT, "i", 51, FREEBSD.ifreq.size));
  });

  test("has a msghdr whose 32-bit counts leave no gap before the flags", () => {
    const { control, controlLength, flags, size, iovLength } = FREEBSD.msghdr;
    expect([iovLength + 8, control + 8, controlLength + 4, flags + 4]).toEqual([control, controlLength, flags, size]);
  });
});

const compiler = Bun.which("gcc") ?? Bun.which("cc");
const canCompile = process.platform === "linux" && compiler !== null;
if (!canCompile) console.warn("layout: not compared with the headers, there is no C compiler");

/** C expressions and the value our tables give them. */
function expected(): [expression: string, value: number][] {
  const names = Object.entries<unknown>(LINUX).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const m = LINUX.msghdr;
  const c = LINUX.cmsghdr;
  return [
    ...names,
    ...Object.entries(LINUX_ERRNO),
    ...Object.entries(TUN_IOCTL),
    ["IFF_TUN", IFF_TUN],
    ["IFF_TAP", IFF_TAP],
    ["IFF_NO_PI", IFF_NO_PI],
    ["IFF_VNET_HDR", IFF_VNET_HDR],
    ["sizeof(struct virtio_net_hdr)", VNET_HEADER_SIZE],
    ["sizeof(struct ifreq)", LINUX.ifreq.size],
    ["offsetof(struct ifreq, ifr_flags)", LINUX.ifreq.union],
    ["sizeof(struct msghdr)", m.size],
    ["offsetof(struct msghdr, msg_namelen)", m.nameLength],
    ["offsetof(struct msghdr, msg_iov)", m.iov],
    ["offsetof(struct msghdr, msg_iovlen)", m.iovLength],
    ["offsetof(struct msghdr, msg_control)", m.control],
    ["offsetof(struct msghdr, msg_controllen)", m.controlLength],
    ["offsetof(struct msghdr, msg_flags)", m.flags],
    ["sizeof(struct cmsghdr)", c.size],
    ["offsetof(struct cmsghdr, cmsg_level)", c.level],
    ["offsetof(struct cmsghdr, cmsg_type)", c.type],
    ["sizeof(struct sockaddr_in)", LINUX.sockaddr.size4],
    ["sizeof(struct sockaddr_in6)", LINUX.sockaddr.size6],
  ];
}

const HEADERS = [
  "errno.h",
  "fcntl.h",
  "stddef.h",
  "stdio.h",
  "time.h",
  "sys/socket.h",
  "sys/ioctl.h",
  "netinet/in.h",
  "net/if.h",
  "linux/if_tun.h",
  "linux/virtio_net.h",
];

describe("the Linux table", () => {
  test.skipIf(!canCompile)("has the numbers of this system's headers", () => {
    const folder = mkdtempSync(join(tmpdir(), "nc-layout-"));
    try {
      const wanted = expected().filter(([name]) => name !== "name");
      const lines = wanted.map(([expression]) => `printf("%lld\\n", (long long)(${expression}));`);
      const includes = HEADERS.map((header) => `#include <${header}>`);
      const source = ["#define _GNU_SOURCE", ...includes, "int main(void) {", ...lines, "return 0; }"].join("\n");
      writeFileSync(join(folder, "layout.c"), source);
      const built = Bun.spawnSync([compiler ?? "", "-o", join(folder, "layout"), join(folder, "layout.c")]);
      expect(built.stderr.toString()).toBe("");
      const out = Bun.spawnSync([join(folder, "layout")])
        .stdout.toString()
        .trim()
        .split("\n");
      expect(wanted.map(([name], i) => `${name} ${Number(out[i]) >>> 0}`)).toEqual(
        wanted.map(([name, value]) => `${name} ${value}`),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
