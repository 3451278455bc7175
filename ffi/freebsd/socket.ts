/**
 * FreeBSD 14: sys/socket.h, netinet/in.h, netinet6/in6.h. There is no SO_BINDTODEVICE: a link leaves by its own
 * interface when its address is bound and the routing (a FIB, or pf's route-to) looks at the source address.
 */
import type { SocketNumbers } from "../socket-system.ts";

export const FREEBSD_SOCKET = {
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  SO_ERROR: 0x1007,
  SO_SNDBUF: 0x1001,
  SO_RCVBUF: 0x1002,
  SO_SNDBUFFORCE: 0,
  SO_RCVBUFFORCE: 0,
  SO_BINDTODEVICE: 0,
  SO_MARK: 0,
  // IP_RECVDSTADDR and IP_SENDSRCADDR are one number; the control message is the in_addr alone.
  localAddress4: { option: 7, type: 7, size: 4, addressAt: 0, onRaw: false },
  IPV6_V6ONLY: 27,
  IPV6_RECVPKTINFO: 36,
  IPV6_PKTINFO: 46,
  dontFragment4: { level: 0, name: 67, on: 1, off: 0 },
  dontFragment6: { level: 41, name: 62, on: 1, off: 0 },
  UDP_SEGMENT: 0,
  UDP_GRO: 0,
  TCP_NOTSENT_LOWAT: 0,
  TCP_USER_TIMEOUT: 0,
  hasMultipleMessages: false,
} as const satisfies SocketNumbers;
