/**
 * Sends one datagram to a Unix socket, as sd_notify(3) and syslog(3) want: neither Bun nor Node has AF_UNIX SOCK_DGRAM.
 *
 *     sockaddr_un   family u16 (or size u8, family u8) | path: 108 bytes on Linux, 104 on FreeBSD
 */
import { type Layout, layout as thisSystem } from "./layout.ts";
import { type Libc, pointerTo, systemLibc } from "./libc.ts";

/** The same on both systems. */
const AF_UNIX = 1;
const PATH_AT = 2;
const PATH_ROOM = { linux: 108, freebsd: 104 } as const;

/**
 * Sends `payload` to the socket at `path`; a path that begins with "@" is abstract (unix(7), Linux only). Does not block.
 * @returns false when nobody took it
 */
export function sendUnixDatagram(
  path: string,
  payload: Uint8Array,
  libc: Libc = systemLibc(),
  layout: Layout = thisSystem,
): boolean {
  const address = unixAddress(path, layout);
  if (!address || payload.length === 0) return false;
  const fd = openUnixSender(libc, layout);
  if (fd < 0) return false;
  // A copy over a buffer of its own: a small typed array may move.
  const bytes = new Uint8Array(new ArrayBuffer(payload.length));
  bytes.set(payload);
  const flags = layout.MSG_DONTWAIT | layout.MSG_NOSIGNAL;
  const sent = libc.sendto(fd, pointerTo(bytes), bytes.length, flags, pointerTo(address), address.length);
  return sent === bytes.length;
}

let sender = -1;

/** Opens the one socket that all datagrams leave by: a process that gives up its rights may open none later. @returns the descriptor, -1 for none */
export function openUnixSender(libc: Libc = systemLibc(), layout: Layout = thisSystem): number {
  if (sender < 0) sender = libc.socket(AF_UNIX, layout.SOCK_DGRAM | layout.SOCK_CLOEXEC, 0);
  return sender;
}

/** Returns the sockaddr_un, undefined if `path` is empty or does not fit with its final zero. */
export function unixAddress(path: string, layout: Layout = thisSystem): Uint8Array | undefined {
  const name = new TextEncoder().encode(path);
  if (name.length === 0 || name.length >= PATH_ROOM[layout.name]) return undefined;
  const isAbstract = path.startsWith("@");
  // The length of an abstract name says where it ends; a path ends with its zero.
  const size = PATH_AT + name.length + (isAbstract ? 0 : 1);
  const address = new Uint8Array(new ArrayBuffer(size));
  address[0] = layout.sockaddr.hasLength ? size : AF_UNIX;
  address[1] = layout.sockaddr.hasLength ? AF_UNIX : 0;
  address.set(name, PATH_AT);
  if (isAbstract) address[PATH_AT] = 0;
  return address;
}
