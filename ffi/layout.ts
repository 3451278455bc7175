/**
 * Numbers and struct layouts that differ between the systems, as one shape with one table for each system. Byte
 * offsets name the field; sizes are of the whole struct. Code takes the table as an argument where a test runs it for
 * the other system; everything else uses `layout`, the table of this one. Both systems are little-endian and LP64.
 */
import { FREEBSD } from "./freebsd/constants.ts";
import { LINUX } from "./linux/constants.ts";

export interface Layout {
  readonly name: "linux" | "freebsd";
  /** Paths at which OpenSSL's library may be; the first that exists is used. */
  readonly libcrypto: readonly string[];
  /** fcntl.h */
  readonly O_RDWR: number;
  readonly O_NONBLOCK: number;
  readonly O_CLOEXEC: number;
  readonly F_GETFL: number;
  readonly F_SETFL: number;
  readonly F_SETFD: number;
  readonly FD_CLOEXEC: number;
  /** sys/socket.h */
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
  readonly SOCK_DGRAM: number;
  readonly SOCK_RAW: number;
  readonly SOCK_NONBLOCK: number;
  readonly SOCK_CLOEXEC: number;
  readonly MSG_DONTWAIT: number;
  readonly MSG_NOSIGNAL: number;
  readonly MSG_TRUNC: number;
  /** time.h; the second counts the time asleep. */
  readonly CLOCK_MONOTONIC: number;
  readonly CLOCK_BOOTTIME: number;
  /** struct ifreq (net/if.h): name[16], then the union. */
  readonly ifreq: { readonly size: number; readonly union: number };
  /** struct msghdr; `wideCounts`: iovlen and controllen are 64 bits (with upper half 0) rather than 32. */
  readonly msghdr: {
    readonly size: number;
    readonly name: number;
    readonly nameLength: number;
    readonly iov: number;
    readonly iovLength: number;
    readonly control: number;
    readonly controlLength: number;
    readonly flags: number;
    readonly wideCounts: boolean;
  };
  /** struct cmsghdr; `data` is where the data begin, `align` what whole elements are rounded up to. */
  readonly cmsghdr: {
    readonly size: number;
    readonly length: number;
    readonly level: number;
    readonly type: number;
    readonly data: number;
    readonly align: number;
    /** True if cmsg_len has 64 bits. */
    readonly wideLength: boolean;
  };
  /** struct sockaddr_in and sockaddr_in6; `hasLength`: the first byte is the size and the second the family. */
  readonly sockaddr: { readonly hasLength: boolean; readonly size4: number; readonly size6: number };
  /** ioctl requests on any socket. */
  readonly SIOCGIFFLAGS: number;
  readonly SIOCGIFMTU: number;
}

/** The same on both systems. */
export const POLL = { IN: 1, OUT: 4 } as const;
export const IFF_UP = 1;
export const IFNAMSIZ = 16;

export const layout: Layout = process.platform === "freebsd" ? FREEBSD : LINUX;
