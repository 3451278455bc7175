/**
 * Opens, binds and describes sockets of every kind: what they have in common, all of it cold. It knows nothing of the
 * datagrams that pass later. A fault in opening throws and leaves no descriptor behind.
 *
 * Egress: two links on one subnet each leave by their own interface only when the socket is tied to it
 * (SO_BINDTODEVICE on Linux). FreeBSD has no such option: the bound address must do, with routing by source address.
 */
import { createEndpoint, type Endpoint, formatEndpoint, portOf } from "../src/endpoint.ts";
import { systemError } from "./errno.ts";
import { IFNAMSIZ } from "./layout.ts";
import { cString, pointerTo } from "./libc.ts";
import { isUnspecified, readSockaddr, SOCKADDR_ROOM, writeSockaddr } from "./sockaddr.ts";
import { IPPROTO, type OptionSwitch, type SocketSystem } from "./socket-system.ts";

/** Bytes asked for in each direction: 8 MiB hold 60 ms at 1 Gbit/s, longer than the worker ever pauses. */
export const SOCKET_BUFFER = 8 * 1024 * 1024;

export interface SocketRequest {
  /** 4 or 6 alone; 0 is IPv6 that carries IPv4 as well, or IPv4 where the host has no IPv6. */
  readonly family: 0 | 4 | 6;
  /** Address and port to bind; an unspecified address or family 0 binds them all, port 0 lets the kernel choose. */
  readonly local: Endpoint;
  /** Interface to leave and arrive by, Linux only. */
  readonly interface?: string | undefined;
  /** SO_REUSEADDR. */
  readonly reuse?: boolean | undefined;
  /** SO_MARK, Linux only; for policy routing. */
  readonly mark?: number | undefined;
  /** Bytes asked for of each socket buffer; 0 leaves the kernel's automatic size. `SOCKET_BUFFER` when absent. */
  readonly buffers?: number | undefined;
}

/** A bound socket and what was granted. */
export interface OpenedSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  /** True if no address was bound, so that each datagram's own local address matters. */
  readonly isUnbound: boolean;
  /** The bound address and port. */
  readonly local: Endpoint;
  readonly interface: string | undefined;
  /** Bytes as the kernel tells them; Linux tells twice the bytes granted, for its bookkeeping. */
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
}

export interface SocketDescription {
  readonly local: string;
  readonly interface: string | undefined;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  readonly gso: boolean;
  readonly gro: boolean;
}

/** Describes what was granted to a socket, and whether it sends and receives runs of datagrams in one call. */
export function describeSocket(opened: OpenedSocket, gso: boolean, gro: boolean): SocketDescription {
  return {
    local: formatEndpoint(opened.local),
    interface: opened.interface,
    receiveBuffer: opened.receiveBuffer,
    sendBuffer: opened.sendBuffer,
    gso,
    gro,
  };
}

/**
 * Opens a bound, non-blocking socket.
 * @throws NetcombinerError when the system refuses the family, the interface, the mark or the address
 */
export function openSocket(system: SocketSystem, type: number, protocol: number, request: SocketRequest): OpenedSocket {
  const asked = request.family === 0 ? (request.local[0] ?? 0) : request.family;
  if (asked !== 0 || type === system.layout.SOCK_RAW)
    return openFamily(system, type, protocol, request, asked || 4, false);
  try {
    return openFamily(system, type, protocol, request, 6, true);
  } catch (error) {
    if (!isWithoutIpv6(error)) throw error;
    return openFamily(system, type, protocol, request, 4, false);
  }
}

/** Sets an integer option; true if the system took it. */
export function setOption(system: SocketSystem, fd: number, level: number, name: number, value: number): boolean {
  const word = new Int32Array(new ArrayBuffer(4));
  word[0] = value;
  return system.libc.setsockopt(fd, level, name, pointerTo(word), 4) === 0;
}

/** Returns the value of an integer option, -1 if it cannot be read. */
export function readOption(system: SocketSystem, fd: number, level: number, name: number): number {
  const words = new Int32Array(new ArrayBuffer(8));
  words[1] = 4;
  const at = pointerTo(words);
  if (system.libc.getsockopt(fd, level, name, at, at + 4) < 0) return -1;
  return words[0] as number;
}

export function setSwitch(system: SocketSystem, fd: number, option: OptionSwitch, isOn: boolean): boolean {
  return setOption(system, fd, option.level, option.name, isOn ? option.on : option.off);
}

/** Fills `out` with the socket's own address; false when it has none. */
export function readLocal(system: SocketSystem, fd: number, out: Endpoint): boolean {
  return readName(system, system.libc.getsockname, fd, out);
}

/** Fills `out` with the peer's address; false while there is none. */
export function readPeer(system: SocketSystem, fd: number, out: Endpoint): boolean {
  return readName(system, system.libc.getpeername, fd, out);
}

/** Calls connect(2); returns 0 or the errno. */
export function connectTo(system: SocketSystem, socket: OpenedSocket, remote: Endpoint): number {
  const name = new Uint8Array(new ArrayBuffer(SOCKADDR_ROOM));
  const length = writeSockaddr(system.layout, name, 0, remote, socket.family);
  if (length === 0) return system.errno.EAFNOSUPPORT;
  return system.libc.connect(socket.fd, pointerTo(name), length) === 0 ? 0 : system.libc.errno();
}

function openFamily(
  system: SocketSystem,
  type: number,
  protocol: number,
  request: SocketRequest,
  family: number,
  isDual: boolean,
): OpenedSocket {
  const { layout, libc } = system;
  const domain = family === 6 ? layout.AF_INET6 : layout.AF_INET;
  const fd = libc.socket(domain, type | layout.SOCK_NONBLOCK | layout.SOCK_CLOEXEC, protocol);
  if (fd < 0) throw systemError(`cannot open an IPv${family} socket`, libc.errno(), system.errno);
  try {
    configure(system, fd, family, isDual, request);
    bindSocket(system, fd, family === 6 ? 6 : 4, request.local);
    return describeOpened(system, fd, family === 6 ? 6 : 4, request);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function configure(system: SocketSystem, fd: number, family: number, isDual: boolean, request: SocketRequest): void {
  const { numbers } = system;
  if (family === 6) setOption(system, fd, IPPROTO.IPV6, numbers.IPV6_V6ONLY, isDual ? 0 : 1);
  if (request.reuse) setOption(system, fd, numbers.SOL_SOCKET, numbers.SO_REUSEADDR, 1);
  if (request.interface !== undefined && numbers.SO_BINDTODEVICE !== 0) bindDevice(system, fd, request.interface);
  if (request.mark !== undefined && numbers.SO_MARK !== 0) {
    if (!setOption(system, fd, numbers.SOL_SOCKET, numbers.SO_MARK, request.mark))
      throw systemError("cannot mark the socket", system.libc.errno(), system.errno);
  }
  const buffers = request.buffers ?? SOCKET_BUFFER;
  if (buffers === 0) return;
  askBuffer(system, fd, numbers.SO_RCVBUFFORCE, numbers.SO_RCVBUF, buffers);
  askBuffer(system, fd, numbers.SO_SNDBUFFORCE, numbers.SO_SNDBUF, buffers);
}

function bindDevice(system: SocketSystem, fd: number, name: string): void {
  const { libc, numbers } = system;
  if (name.length === 0 || name.length >= IFNAMSIZ)
    throw systemError(`no interface "${name}"`, system.errno.ENODEV, system.errno);
  const text = cString(name);
  if (libc.setsockopt(fd, numbers.SOL_SOCKET, numbers.SO_BINDTODEVICE, pointerTo(text), text.length) < 0)
    throw systemError(`cannot bind to interface ${name}`, libc.errno(), system.errno);
}

/** Asks for a buffer. FreeBSD refuses more than kern.ipc.maxsockbuf instead of granting less, so it is asked for less until it grants. */
function askBuffer(system: SocketSystem, fd: number, force: number, plain: number, bytes: number): void {
  const level = system.numbers.SOL_SOCKET;
  if (force !== 0 && setOption(system, fd, level, force, bytes)) return;
  for (let ask = bytes; ask >= 65536; ask = Math.floor(ask / 2)) if (setOption(system, fd, level, plain, ask)) return;
}

function bindSocket(system: SocketSystem, fd: number, family: 4 | 6, local: Endpoint): void {
  const name = new Uint8Array(new ArrayBuffer(SOCKADDR_ROOM));
  const length = writeSockaddr(system.layout, name, 0, local, family);
  if (length === 0 || system.libc.bind(fd, pointerTo(name), length) < 0) {
    const errno = length === 0 ? system.errno.EAFNOSUPPORT : system.libc.errno();
    throw systemError(`cannot bind to ${formatEndpoint(local)} (port ${portOf(local)})`, errno, system.errno);
  }
}

function describeOpened(system: SocketSystem, fd: number, family: 4 | 6, request: SocketRequest): OpenedSocket {
  const { numbers } = system;
  const local = createEndpoint();
  if (!readLocal(system, fd, local)) local.set(request.local);
  return {
    fd,
    family,
    isUnbound: isUnspecified(local),
    local,
    interface: numbers.SO_BINDTODEVICE === 0 ? undefined : request.interface,
    receiveBuffer: readOption(system, fd, numbers.SOL_SOCKET, numbers.SO_RCVBUF),
    sendBuffer: readOption(system, fd, numbers.SOL_SOCKET, numbers.SO_SNDBUF),
  };
}

function isWithoutIpv6(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === "EAFNOSUPPORT" || cause === "EADDRNOTAVAIL";
}

function readName(
  system: SocketSystem,
  call: (fd: number, address: number, length: number) => number,
  fd: number,
  out: Endpoint,
): boolean {
  const bytes = new Uint8Array(new ArrayBuffer(SOCKADDR_ROOM + 4));
  bytes[SOCKADDR_ROOM] = SOCKADDR_ROOM;
  const at = pointerTo(bytes);
  if (call(fd, at, at + SOCKADDR_ROOM) < 0) return false;
  readSockaddr(system.layout, bytes, 0, out);
  return true;
}
