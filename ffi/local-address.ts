// @hot
/**
 * The local address of a datagram as a control message: which address it was sent to on the way in, which source
 * address it shall leave with on the way out (IP_PKTINFO, IPV6_PKTINFO of RFC 3542, IP_RECVDSTADDR on FreeBSD).
 * Only sockets bound to no address need it: a multi-homed listener must answer from the address it was asked at.
 */
import type { Endpoint } from "../src/endpoint.ts";
import type { MessageArray } from "./message.ts";
import { isLinkLocal6, readAddress6, writeAddress6 } from "./sockaddr.ts";
import { type OpenedSocket, setOption } from "./socket.ts";
import { IPPROTO, type SocketSystem } from "./socket-system.ts";

/** struct in6_pktinfo { in6_addr addr; unsigned ifindex } */
const PKTINFO6_SIZE = 20;
const PKTINFO6_INTERFACE = 16;

/** Asks the kernel to tell the local address of every datagram; true when it will. */
export function askLocalAddress(system: SocketSystem, socket: OpenedSocket): boolean {
  const { numbers } = system;
  if (socket.family === 4) return setOption(system, socket.fd, IPPROTO.IP, numbers.localAddress4.option, 1);
  return setOption(system, socket.fd, IPPROTO.IPV6, numbers.IPV6_RECVPKTINFO, 1);
}

/** Fills `out` with the address message `i` was sent to, at the socket's port; family 0 when the kernel did not tell. */
export function readLocalAddress(
  system: SocketSystem,
  socket: OpenedSocket,
  messages: MessageArray,
  i: number,
  out: Endpoint,
): void {
  const { localAddress4, IPV6_PKTINFO } = system.numbers;
  const bytes = messages.bytes;
  out.fill(0);
  if (socket.family === 4) {
    const at = messages.findControl(i, IPPROTO.IP, localAddress4.type, localAddress4.size);
    if (at < 0) return;
    out[0] = 4;
    for (let k = 0; k < 4; k++) out[4 + k] = bytes[at + localAddress4.addressAt + k] as number;
  } else {
    const at = messages.findControl(i, IPPROTO.IPV6, IPV6_PKTINFO, PKTINFO6_SIZE);
    if (at < 0) return;
    readAddress6(bytes, at, out);
    if (isLinkLocal6(out)) for (let k = 0; k < 4; k++) out[23 - k] = bytes[at + PKTINFO6_INTERFACE + k] as number;
  }
  out[2] = socket.local[2] as number;
  out[3] = socket.local[3] as number;
}

/** Has message `i` leave from `local`, whose family is not 0. */
export function appendLocalAddress(
  system: SocketSystem,
  socket: OpenedSocket,
  messages: MessageArray,
  i: number,
  local: Endpoint,
): void {
  const { localAddress4, IPV6_PKTINFO } = system.numbers;
  const bytes = messages.bytes;
  if (socket.family === 4) {
    if (local[0] !== 4) return;
    const at = messages.appendControl(i, IPPROTO.IP, localAddress4.type, localAddress4.size);
    for (let k = 0; k < 4; k++) bytes[at + localAddress4.addressAt + k] = local[4 + k] as number;
    return;
  }
  const at = messages.appendControl(i, IPPROTO.IPV6, IPV6_PKTINFO, PKTINFO6_SIZE);
  writeAddress6(bytes, at, local);
  if (isLinkLocal6(local)) for (let k = 0; k < 4; k++) bytes[at + PKTINFO6_INTERFACE + k] = local[23 - k] as number;
}
