/** Linux: asm-generic/socket.h, linux/in.h, linux/in6.h, linux/udp.h, linux/tcp.h. */
import type { SocketNumbers } from "../socket-system.ts";

const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
const PMTUDISC_WANT = 1;
/** Sets DF and ignores the kernel's path MTU, so that probes can go out larger than it. */
const PMTUDISC_PROBE = 3;

export const LINUX_SOCKET = {
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_BINDTODEVICE: 25,
  SO_MARK: 36,
  // struct in_pktinfo { int ifindex; in_addr spec_dst; in_addr addr }: spec_dst is the local address, both ways.
  localAddress4: { option: 8, type: 8, size: 12, addressAt: 4, onRaw: true },
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  IPV6_PKTINFO: 50,
  dontFragment4: { level: 0, name: IP_MTU_DISCOVER, on: PMTUDISC_PROBE, off: PMTUDISC_WANT },
  dontFragment6: { level: 41, name: IPV6_MTU_DISCOVER, on: PMTUDISC_PROBE, off: PMTUDISC_WANT },
  UDP_SEGMENT: 103,
  UDP_GRO: 104,
  TCP_NOTSENT_LOWAT: 25,
  TCP_USER_TIMEOUT: 18,
  hasMultipleMessages: true,
} as const satisfies SocketNumbers;
