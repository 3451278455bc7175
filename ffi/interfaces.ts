/** Reads properties of a network interface by ioctls on any socket, the same on both systems. */
import { systemError } from "./errno.ts";
import { IFF_UP, IFNAMSIZ, type Layout, layout as thisSystem } from "./layout.ts";
import { type Libc, pointerTo, systemLibc } from "./libc.ts";

/** Returns the MTU in bytes. @throws NetcombinerError if there is no such interface */
export function interfaceMtu(name: string, libc: Libc = systemLibc(), layout: Layout = thisSystem): number {
  return ifreq(name, layout.SIOCGIFMTU, libc, layout).getInt32(layout.ifreq.union, true);
}

export function isInterfaceUp(name: string, libc: Libc = systemLibc(), layout: Layout = thisSystem): boolean {
  return (ifreq(name, layout.SIOCGIFFLAGS, libc, layout).getUint16(layout.ifreq.union, true) & IFF_UP) !== 0;
}

function ifreq(name: string, request: number, libc: Libc, layout: Layout): DataView {
  const bytes = new Uint8Array(new ArrayBuffer(layout.ifreq.size));
  bytes.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1));
  const fd = libc.socket(layout.AF_INET, layout.SOCK_DGRAM | layout.SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError("cannot open a socket", libc.errno());
  const result = libc.ioctl(fd, request, pointerTo(bytes));
  const errno = libc.errno();
  libc.close(fd);
  if (result < 0) throw systemError(`interface ${name}`, errno);
  return new DataView(bytes.buffer);
}
