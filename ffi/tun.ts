// @hot
/**
 * A TUN device: opened by name or adopted as a descriptor, and the raw operations of the data path on it.
 * The prefix of the IP packet in a read or write depends on the system; `format` describes it. Nothing here
 * looks into packets. `ffi/linux/tun.ts` and `ffi/freebsd/tun.ts` open, this file moves bytes.
 */
import type { ErrnoTable } from "./errno.ts";
import { FREEBSD_ERRNO, LINUX_ERRNO } from "./errno.ts";
import { adoptFreebsdTun, openFreebsdTun } from "./freebsd/tun.ts";
import { layout } from "./layout.ts";
import { type Address, type Libc, pointerTo, systemLibc } from "./libc.ts";
import { adoptLinuxTun, openLinuxTun } from "./linux/tun.ts";

/** The prefix of the IP packet: nothing, struct virtio_net_hdr (10 bytes), or the address family in network order. */
export type TunPrefix = "none" | "virtio" | "family";

export interface TunFormat {
  readonly prefix: TunPrefix;
  /** Bytes of the prefix. */
  readonly prefixSize: 0 | 4 | 10;
  /** The kernel hands out super-packets of TCP. */
  readonly tso: boolean;
  /** The kernel hands out super-packets of UDP, and so takes them. */
  readonly uso: boolean;
}

export interface OpenedTun {
  readonly fd: number;
  /** The interface's name as the kernel tells it. */
  readonly name: string;
  readonly format: TunFormat;
}

/** "auto" takes every offload the kernel has, "none" reads and writes single plain packets. */
export type TunOffload = "auto" | "none";

/** Results in place of a number of bytes. */
export const TUN_NOTHING = 0;
/** The interface was deleted or the descriptor closed. */
export const TUN_GONE = -1;

/** Largest read: the prefix and 65535 bytes. */
const STAGING_SIZE = 65_536 + 64;

export class TunDescriptor {
  readonly fd: number;
  readonly name: string;
  readonly format: TunFormat;
  /** Memory into which `read` puts prefix and packet. */
  readonly staging = new ArrayBuffer(STAGING_SIZE);
  readonly stagingAddress: Address = pointerTo(this.staging);
  readonly #libc: Libc;
  readonly #errno: ErrnoTable;
  #gone = false;

  constructor(opened: OpenedTun, libc: Libc = systemLibc(), errno?: ErrnoTable) {
    this.fd = opened.fd;
    this.name = opened.name;
    this.format = opened.format;
    this.#libc = libc;
    this.#errno = errno ?? (layout.name === "linux" ? LINUX_ERRNO : FREEBSD_ERRNO);
  }

  /** True once a call met an interface that no longer exists; a poll shows it by ERR, HUP or NVAL. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** Reads one (super-)packet with its prefix into `staging`. @returns bytes, `TUN_NOTHING` or `TUN_GONE` */
  read(): number {
    return this.readInto(this.stagingAddress, STAGING_SIZE);
  }

  /** Reads one packet with its prefix to `address`; a longer one is cut off at `size`. */
  readInto(address: Address, size: number): number {
    const n = this.#libc.read(this.fd, address, size);
    return n > 0 ? n : this.#explain(n, true);
  }

  /**
   * Writes one (super-)packet, prefix first, from the pieces of `iovecs`.
   * @returns bytes taken, `TUN_NOTHING` when the kernel refused this one, `TUN_GONE`
   */
  writev(iovecs: Address, count: number): number {
    const n = this.#libc.writev(this.fd, iovecs, count);
    return n > 0 ? n : this.#explain(n, false);
  }

  close(): void {
    this.#gone = true;
    this.#libc.close(this.fd);
  }

  #explain(result: number, isRead: boolean): number {
    if (result === 0) return TUN_NOTHING;
    const errno = this.#libc.errno();
    const table = this.#errno;
    if (errno === table.EAGAIN || errno === table.EINTR) return TUN_NOTHING;
    // Linux answers a write to an interface that is down with EIO too, and FreeBSD a packet too long.
    const gone = errno === table.EBADFD || errno === table.EBADF || errno === table.ENXIO || errno === table.ENODEV;
    if (gone || (errno === table.EIO && isRead)) this.#gone = true;
    return this.#gone ? TUN_GONE : TUN_NOTHING;
  }
}

/**
 * Opens (and so creates) the TUN interface `name`, or one with a name of the kernel's choice when it is empty.
 * Needs the right to administer the network.
 * @throws NetcombinerError naming what failed and why
 */
export function openTun(name: string, offload: TunOffload = "auto", libc: Libc = systemLibc()): TunDescriptor {
  return new TunDescriptor(
    layout.name === "linux" ? openLinuxTun(libc, name, offload) : openFreebsdTun(libc, name),
    libc,
  );
}

/** Takes over a descriptor that another process opened; it tells its own name and format. */
export function adoptTun(fd: number, libc: Libc = systemLibc()): TunDescriptor {
  return new TunDescriptor(layout.name === "linux" ? adoptLinuxTun(libc, fd) : adoptFreebsdTun(libc, fd), libc);
}
