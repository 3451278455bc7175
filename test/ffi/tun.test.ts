import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { LINUX_ERRNO } from "../../ffi/errno.ts";
import { memoryAt, systemLibc } from "../../ffi/libc.ts";
import { deleteLink } from "../../ffi/linux/netlink.ts";
import { openLinuxTun, TUN_IOCTL } from "../../ffi/linux/tun.ts";
import { adoptTun, openTun, TUN_GONE, TUN_NOTHING, type TunDescriptor } from "../../ffi/tun.ts";
import { fakeLibc } from "./fake-libc.ts";

const canRun = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun");
if (!canRun) console.warn("tun: not run on a kernel, needs root and /dev/net/tun");
const realKernel = test.skipIf(!canRun);
const open: TunDescriptor[] = [];
const name = (letter: string) => `nct${process.pid % 1_000_000}${letter}`;

afterEach(() => {
  for (const tun of open.splice(0)) tun.close();
});

function opened(tun: TunDescriptor): TunDescriptor {
  open.push(tun);
  return tun;
}

describe("a TUN device of this kernel", () => {
  realKernel("is created under its name with TCP offload and has nothing to read", () => {
    const tun = opened(openTun(name("a")));
    expect(tun.name).toBe(name("a"));
    expect(tun.format).toMatchObject({ prefix: "virtio", prefixSize: 10, tso: true });
    expect(tun.read()).toBe(TUN_NOTHING);
    expect(tun.isGone).toBe(false);
  });

  realKernel("is plain when no offload is wanted", () => {
    expect(opened(openTun(name("b"), "none")).format).toMatchObject({ prefix: "none", prefixSize: 0, tso: false });
  });

  realKernel("gets a name of the kernel's choice for an empty one", () => {
    expect(opened(openTun("")).name).toMatch(/^tun\d+$/);
  });

  realKernel("tells its own format when its descriptor is adopted", () => {
    for (const mode of ["auto", "none"] as const) {
      const tun = opened(openTun(name("c"), mode));
      const adopted = adoptTun(tun.fd);
      expect(adopted.name).toBe(tun.name);
      expect(adopted.format).toEqual(tun.format);
      open.pop();
      tun.close();
    }
  });

  realKernel("cannot be opened twice", () => {
    opened(openTun(name("d")));
    expect(() => openTun(name("d"))).toThrow("EBUSY");
  });

  realKernel("is gone once the interface is deleted", () => {
    const tun = opened(openTun(name("e")));
    deleteLink(systemLibc(), tun.name);
    expect(tun.read()).toBe(TUN_GONE);
    expect(tun.isGone).toBe(true);
  });

  realKernel("is not what an ordinary descriptor is", () => {
    expect(() => adoptTun(2)).toThrow("not a TUN device");
  });
});

describe("openLinuxTun on older kernels", () => {
  /** A kernel that knows the offloads of `mask` only. */
  function olderKernel(mask: number) {
    return fakeLibc({
      open: () => 7,
      close: () => 0,
      ioctl: (_fd, request, argument) => {
        if (request === TUN_IOCTL.TUNSETOFFLOAD) return ((argument as number) & ~mask) === 0 ? 0 : -LINUX_ERRNO.EINVAL;
        if (request === TUN_IOCTL.TUNSETVNETHDRSZ) expect(memoryAt(argument as number, 4)[0]).toBe(10);
        return 0;
      },
    });
  }

  const masks = [
    [0x67, true, true],
    [0x07, true, false],
    [0x01, false, false],
    [0x00, false, false],
  ] as const;
  test.each(masks)("takes what a kernel with mask %i offers", (mask, tso, uso) => {
    expect(openLinuxTun(olderKernel(mask), "nc0", "auto").format).toMatchObject({ prefix: "virtio", tso, uso });
  });

  test("says what is missing when there is no device", () => {
    const libc = fakeLibc({ open: () => -LINUX_ERRNO.ENOENT });
    expect(() => openLinuxTun(libc, "nc0", "auto")).toThrow("load the module tun");
  });

  test("refuses a name longer than 15 bytes and closes the device", () => {
    const libc = olderKernel(0);
    expect(() => openLinuxTun(libc, "netcombiner-is-long", "auto")).toThrow("longer than 15");
    expect(libc.calls.at(-1)).toBe("close 7");
  });
});
