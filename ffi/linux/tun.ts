/**
 * Opening /dev/net/tun on Linux (include/uapi/linux/if_tun.h). With offloads every packet comes behind a
 * struct virtio_net_hdr and the kernel may hand over TCP and UDP super-packets and partial checksums.
 */
import { LINUX_ERRNO, systemError } from "../errno.ts";
import { IFNAMSIZ } from "../layout.ts";
import { cString, type Libc, pointerTo } from "../libc.ts";
import type { OpenedTun, TunFormat, TunOffload } from "../tun.ts";
import { LINUX } from "./constants.ts";

export const TUN_IOCTL = {
  TUNSETIFF: 0x400454ca,
  TUNGETIFF: 0x800454d2,
  TUNSETOFFLOAD: 0x400454d0,
  TUNSETVNETHDRSZ: 0x400454d8,
} as const;
export const IFF_TUN = 1;
export const IFF_TAP = 2;
export const IFF_NO_PI = 0x1000;
export const IFF_VNET_HDR = 0x4000;
const TUN_F = { CSUM: 1, TSO4: 2, TSO6: 4, USO4: 0x20, USO6: 0x40 } as const;

const TSO = TUN_F.CSUM | TUN_F.TSO4 | TUN_F.TSO6;
const USO = TUN_F.USO4 | TUN_F.USO6;
/** The best first: USO needs Linux 6.2. The kernel refuses a whole mask with one bit it does not know. */
const OFFLOADS = [TSO | USO, TSO, TUN_F.CSUM, 0] as const;
/** struct virtio_net_hdr without mrg_rxbuf. */
export const VNET_HEADER_SIZE = 10;
const FLAGS = LINUX.ifreq.union;

export function openLinuxTun(libc: Libc, name: string, offload: TunOffload): OpenedTun {
  const fd = openDevice(libc);
  try {
    const flags = IFF_TUN | IFF_NO_PI | (offload === "auto" ? IFF_VNET_HDR : 0);
    const actual = attach(libc, fd, name, flags);
    return { fd, name: actual, format: configure(libc, fd, offload === "auto") };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Opens a TAP device without any offload, for `tuntap2`. */
export function openLinuxTap(libc: Libc, name: string): OpenedTun {
  const fd = openDevice(libc);
  try {
    const actual = attach(libc, fd, name, IFF_TAP | IFF_NO_PI);
    return { fd, name: actual, format: configure(libc, fd, false) };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Takes a descriptor as it was set up by someone else. */
export function adoptLinuxTun(libc: Libc, fd: number): OpenedTun {
  const request = new Uint8Array(new ArrayBuffer(LINUX.ifreq.size));
  if (libc.ioctl(fd, TUN_IOCTL.TUNGETIFF, pointerTo(request)) < 0) {
    throw systemError(`descriptor ${fd} is not a TUN device`, libc.errno(), LINUX_ERRNO);
  }
  const flags = new DataView(request.buffer).getUint16(FLAGS, true);
  if ((flags & IFF_TUN) === 0 || (flags & IFF_NO_PI) === 0) {
    throw systemError(`descriptor ${fd} is a TAP device or has packet information`, LINUX_ERRNO.EINVAL, LINUX_ERRNO);
  }
  makeNonblocking(libc, fd);
  return { fd, name: nameIn(request), format: configure(libc, fd, (flags & IFF_VNET_HDR) !== 0) };
}

function openDevice(libc: Libc): number {
  const path = cString("/dev/net/tun");
  const fd = libc.open(pointerTo(path), LINUX.O_RDWR | LINUX.O_NONBLOCK | LINUX.O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const errno = libc.errno();
  const missing = errno === LINUX_ERRNO.ENOENT || errno === LINUX_ERRNO.ENODEV || errno === LINUX_ERRNO.ENXIO;
  throw systemError(
    missing ? "cannot open /dev/net/tun (load the module tun)" : "cannot open /dev/net/tun",
    errno,
    LINUX_ERRNO,
  );
}

function attach(libc: Libc, fd: number, name: string, flags: number): string {
  const request = new Uint8Array(new ArrayBuffer(LINUX.ifreq.size));
  const bytes = new TextEncoder().encode(name);
  if (bytes.length >= IFNAMSIZ) {
    throw systemError(`interface name ${name} is longer than 15 bytes`, LINUX_ERRNO.EINVAL, LINUX_ERRNO);
  }
  request.set(bytes);
  new DataView(request.buffer).setUint16(FLAGS, flags, true);
  if (libc.ioctl(fd, TUN_IOCTL.TUNSETIFF, pointerTo(request)) < 0) {
    throw systemError(`cannot create the interface ${name}`, libc.errno(), LINUX_ERRNO);
  }
  return nameIn(request);
}

function configure(libc: Libc, fd: number, isVirtio: boolean): TunFormat {
  if (!isVirtio) return { prefix: "none", prefixSize: 0, tso: false, uso: false };
  const size = new Int32Array(new ArrayBuffer(4));
  size[0] = VNET_HEADER_SIZE;
  if (libc.ioctl(fd, TUN_IOCTL.TUNSETVNETHDRSZ, pointerTo(size)) < 0) {
    throw systemError("cannot set the size of the virtio header", libc.errno(), LINUX_ERRNO);
  }
  for (const mask of OFFLOADS) {
    if (libc.ioctl(fd, TUN_IOCTL.TUNSETOFFLOAD, mask) < 0) continue;
    return { prefix: "virtio", prefixSize: 10, tso: (mask & TUN_F.TSO4) !== 0, uso: (mask & TUN_F.USO4) !== 0 };
  }
  throw systemError("cannot set the offloads of the TUN device", libc.errno(), LINUX_ERRNO);
}

function makeNonblocking(libc: Libc, fd: number): void {
  const flags = libc.fcntl(fd, LINUX.F_GETFL, 0);
  if (flags < 0 || libc.fcntl(fd, LINUX.F_SETFL, flags | LINUX.O_NONBLOCK) < 0) {
    throw systemError(`descriptor ${fd}`, libc.errno(), LINUX_ERRNO);
  }
  libc.fcntl(fd, LINUX.F_SETFD, LINUX.FD_CLOEXEC);
}

function nameIn(request: Uint8Array): string {
  const end = request.indexOf(0);
  return new TextDecoder().decode(request.subarray(0, end < 0 || end > IFNAMSIZ ? IFNAMSIZ : end));
}
