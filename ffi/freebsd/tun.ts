/**
 * Opening /dev/tunN on FreeBSD (sys/net/if_tun.h, sys/net/if_tuntap.c). The device has no offloads; with TUNSIFHEAD
 * every packet comes behind its address family, four bytes in network order, without which IPv6 would not pass.
 */
import { FREEBSD_ERRNO, systemError } from "../errno.ts";
import { IFNAMSIZ } from "../layout.ts";
import { cString, type Libc, pointerTo, setPointer } from "../libc.ts";
import type { OpenedTun, TunFormat } from "../tun.ts";
import { FREEBSD } from "./constants.ts";

export const TUN_IOCTL = {
  TUNSIFHEAD: 0x80047460,
  TUNSIFMODE: 0x8004745e,
  TUNSIFPID: 0x2000745f,
  TUNGIFNAME: 0x4020745d,
  SIOCSIFNAME: 0x80206928,
} as const;
const IFF_POINTOPOINT = 0x10;
const IFF_MULTICAST = 0x8000;
const FORMAT: TunFormat = { prefix: "family", prefixSize: 4, tso: false, uso: false };

/** Clones the lowest free tunN and renames it; the name stays with the interface, the device keeps its number. */
export function openFreebsdTun(libc: Libc, name: string): OpenedTun {
  if (new TextEncoder().encode(name).length >= IFNAMSIZ) {
    throw systemError(`interface name ${name} is longer than 15 bytes`, FREEBSD_ERRNO.EINVAL, FREEBSD_ERRNO);
  }
  // An interface that was left behind keeps its name: opened again by it, devfs has an alias for renamed ones.
  const existing = name === "" ? -1 : openDevice(libc, `/dev/${name}`);
  const fd = existing >= 0 ? existing : openDevice(libc, "/dev/tun");
  if (fd < 0) throw systemError("cannot open /dev/tun", libc.errno(), FREEBSD_ERRNO);
  try {
    setMode(libc, fd);
    const actual = nameOf(libc, fd);
    if (name !== "" && actual !== name) rename(libc, actual, name);
    return { fd, name: name === "" ? actual : name, format: FORMAT };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Takes over a descriptor; the driver wants to be told of the new owner before it is closed. */
export function adoptFreebsdTun(libc: Libc, fd: number): OpenedTun {
  const name = nameOf(libc, fd);
  control(libc, fd, TUN_IOCTL.TUNSIFPID, 0, "TUNSIFPID");
  setHead(libc, fd);
  const flags = libc.fcntl(fd, FREEBSD.F_GETFL, 0);
  if (flags < 0 || libc.fcntl(fd, FREEBSD.F_SETFL, flags | FREEBSD.O_NONBLOCK) < 0) {
    throw systemError(`descriptor ${fd}`, libc.errno(), FREEBSD_ERRNO);
  }
  libc.fcntl(fd, FREEBSD.F_SETFD, FREEBSD.FD_CLOEXEC);
  return { fd, name, format: FORMAT };
}

function openDevice(libc: Libc, path: string): number {
  const bytes = cString(path);
  return libc.open(pointerTo(bytes), FREEBSD.O_RDWR | FREEBSD.O_NONBLOCK | FREEBSD.O_CLOEXEC, 0);
}

function setMode(libc: Libc, fd: number): void {
  setHead(libc, fd);
  const mode = new Int32Array(new ArrayBuffer(4));
  mode[0] = IFF_POINTOPOINT | IFF_MULTICAST;
  // EBUSY: the interface is up already and keeps its mode.
  if (libc.ioctl(fd, TUN_IOCTL.TUNSIFMODE, pointerTo(mode)) < 0 && libc.errno() !== FREEBSD_ERRNO.EBUSY) {
    throw systemError("TUNSIFMODE", libc.errno(), FREEBSD_ERRNO);
  }
  control(libc, fd, TUN_IOCTL.TUNSIFPID, 0, "TUNSIFPID");
}

function setHead(libc: Libc, fd: number): void {
  const on = new Int32Array(new ArrayBuffer(4));
  on[0] = 1;
  control(libc, fd, TUN_IOCTL.TUNSIFHEAD, pointerTo(on), "TUNSIFHEAD");
}

function nameOf(libc: Libc, fd: number): string {
  const request = new Uint8Array(new ArrayBuffer(FREEBSD.ifreq.size));
  if (libc.ioctl(fd, TUN_IOCTL.TUNGIFNAME, pointerTo(request)) < 0) {
    throw systemError(`descriptor ${fd} is not a TUN device`, libc.errno(), FREEBSD_ERRNO);
  }
  const end = request.indexOf(0);
  return new TextDecoder().decode(request.subarray(0, end < 0 || end > IFNAMSIZ ? IFNAMSIZ : end));
}

/** Renames an interface by SIOCSIFNAME: ifr_name is the old name, ifr_data points to the new one. */
function rename(libc: Libc, from: string, to: string): void {
  const request = new Uint8Array(new ArrayBuffer(FREEBSD.ifreq.size));
  const name = cString(to);
  request.set(new TextEncoder().encode(from));
  setPointer(new Uint32Array(request.buffer), FREEBSD.ifreq.union / 4, pointerTo(name));
  const socket = libc.socket(FREEBSD.AF_INET, FREEBSD.SOCK_DGRAM | FREEBSD.SOCK_CLOEXEC, 0);
  if (socket < 0) throw systemError("cannot open a socket", libc.errno(), FREEBSD_ERRNO);
  const result = libc.ioctl(socket, TUN_IOCTL.SIOCSIFNAME, pointerTo(request));
  const errno = libc.errno();
  libc.close(socket);
  if (result < 0) throw systemError(`cannot rename ${from} to ${to}`, errno, FREEBSD_ERRNO);
}

function control(libc: Libc, fd: number, request: number, argument: number, what: string): void {
  if (libc.ioctl(fd, request, argument) < 0) throw systemError(what, libc.errno(), FREEBSD_ERRNO);
}
