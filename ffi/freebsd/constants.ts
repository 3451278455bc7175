/** FreeBSD 14 on amd64 and arm64: from sys/fcntl.h, sys/socket.h, net/if.h; ioctls by the formula of sys/ioccom.h. */
import type { Layout } from "../layout.ts";

export const FREEBSD = {
  name: "freebsd",
  /** Those of the base system in FreeBSD 14 and 15. */
  libcrypto: ["/lib/libcrypto.so.30", "/lib/libcrypto.so.35"],
  O_RDWR: 2,
  O_NONBLOCK: 4,
  O_CLOEXEC: 0x100000,
  F_GETFL: 3,
  F_SETFL: 4,
  F_SETFD: 2,
  FD_CLOEXEC: 1,
  AF_INET: 2,
  AF_INET6: 28,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0x20000000,
  SOCK_CLOEXEC: 0x10000000,
  MSG_DONTWAIT: 0x80,
  MSG_NOSIGNAL: 0x20000,
  MSG_TRUNC: 0x10,
  CLOCK_MONOTONIC: 4,
  /** Another name of CLOCK_MONOTONIC (sys/_clock_id.h). */
  CLOCK_BOOTTIME: 4,
  ifreq: { size: 32, union: 16 },
  msghdr: {
    size: 48,
    name: 0,
    nameLength: 8,
    iov: 16,
    iovLength: 24,
    control: 32,
    controlLength: 40,
    flags: 44,
    wideCounts: false,
  },
  cmsghdr: { size: 12, length: 0, level: 4, type: 8, data: 16, align: 8, wideLength: false },
  sockaddr: { hasLength: true, size4: 16, size6: 28 },
  SIOCGIFFLAGS: 0xc0206911,
  SIOCGIFMTU: 0xc0206933,
} as const satisfies Layout;
