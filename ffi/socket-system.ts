/**
 * The numbers of socket options that differ between the systems, and the bundle every socket class is made with: the
 * C library, the struct layouts, the errno table and these numbers. A test hands over another system's bundle with a
 * library that records. A number of 0 means that the system has no such option.
 */
import { ERRNO, type ErrnoTable } from "./errno.ts";
import { FREEBSD_SOCKET } from "./freebsd/socket.ts";
import { type Layout, layout } from "./layout.ts";
import { type Libc, systemLibc } from "./libc.ts";
import { LINUX_SOCKET } from "./linux/socket.ts";

/** A switch: `setsockopt(level, name, on or off)`. */
export interface OptionSwitch {
  readonly level: number;
  readonly name: number;
  readonly on: number;
  readonly off: number;
}

export interface SocketNumbers {
  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_ERROR: number;
  readonly SO_SNDBUF: number;
  readonly SO_RCVBUF: number;
  /** Buffers beyond the administrator's limit, for CAP_NET_ADMIN. */
  readonly SO_SNDBUFFORCE: number;
  readonly SO_RCVBUFFORCE: number;
  readonly SO_BINDTODEVICE: number;
  readonly SO_MARK: number;
  /** The local address of an IPv4 datagram: how to ask for it, its control message, and where the address lies in it. */
  readonly localAddress4: {
    readonly option: number;
    readonly type: number;
    readonly size: number;
    readonly addressAt: number;
    /** True if raw sockets take it as the source address too. */
    readonly onRaw: boolean;
  };
  readonly IPV6_V6ONLY: number;
  readonly IPV6_RECVPKTINFO: number;
  readonly IPV6_PKTINFO: number;
  readonly dontFragment4: OptionSwitch;
  readonly dontFragment6: OptionSwitch;
  readonly UDP_SEGMENT: number;
  readonly UDP_GRO: number;
  readonly TCP_NOTSENT_LOWAT: number;
  /** In milliseconds. */
  readonly TCP_USER_TIMEOUT: number;
  /** True if recvmmsg and sendmmsg have Linux' struct mmsghdr. */
  readonly hasMultipleMessages: boolean;
}

/** The same on both systems. */
export const IPPROTO = { IP: 0, TCP: 6, UDP: 17, IPV6: 41 } as const;
export const TCP_NODELAY = 1;

export interface SocketSystem {
  readonly libc: Libc;
  readonly layout: Layout;
  readonly errno: ErrnoTable;
  readonly numbers: SocketNumbers;
}

/** Returns the bundle of the system this runs on. */
export function systemSockets(): SocketSystem {
  const numbers = layout.name === "freebsd" ? FREEBSD_SOCKET : LINUX_SOCKET;
  return { libc: systemLibc(), layout, errno: ERRNO, numbers };
}
