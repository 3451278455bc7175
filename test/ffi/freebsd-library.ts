/**
 * A C library as FreeBSD code would call it, for running that code where FreeBSD is not: it keeps the bytes of every
 * struct it is given, gives out descriptors and plays back what a test has put in.
 */
import { FREEBSD_ERRNO } from "../../ffi/errno.ts";
import { FREEBSD } from "../../ffi/freebsd/constants.ts";
import { FREEBSD_SOCKET } from "../../ffi/freebsd/socket.ts";
import { type Libc, memoryAt, systemLibc } from "../../ffi/libc.ts";
import type { SocketSystem } from "../../ffi/socket-system.ts";

/** One call with its integers and the memory its addresses named. */
export interface Call {
  readonly name: string;
  readonly numbers: readonly number[];
  readonly bytes: string;
}

/** A message as sendmsg or recvmsg saw it, by the offsets of FreeBSD's sys/socket.h. */
export interface SeenMessage {
  readonly header: Uint8Array;
  readonly name: string;
  readonly control: string;
  readonly vectors: readonly number[];
  readonly payload: string;
}

export interface Incoming {
  readonly name: string;
  readonly control: string;
  readonly payload: string;
  readonly flags: number;
}

export class FreebsdLibrary {
  readonly calls: Call[] = [];
  readonly messages: SeenMessage[] = [];
  readonly incoming: Incoming[] = [];
  /** The sockaddr that getsockname gives, in hexadecimal. */
  ownName = "";
  /** Largest buffer that setsockopt grants. */
  maxBuffer = 2 * 1024 * 1024;
  #errno = 0;

  readonly system: SocketSystem = {
    layout: FREEBSD,
    errno: FREEBSD_ERRNO,
    numbers: FREEBSD_SOCKET,
    libc: this.#libc(),
  };

  /** The bytes of the first call of this name, and its numbers. */
  call(name: string): Call | undefined {
    return this.calls.find((call) => call.name === name);
  }

  #libc(): Libc {
    const note = (name: string, numbers: number[], bytes: string): number => {
      this.calls.push({ name, numbers, bytes });
      return 0;
    };
    const refuse = (errno: number): number => {
      this.#errno = errno;
      return -1;
    };
    const fakes: Partial<Libc> = {
      socket: (...numbers) => note("socket", numbers, "") + 7,
      close: (fd) => note("close", [fd], ""),
      bind: (fd, address, length) => note("bind", [fd, length], hex(address, length)),
      connect: (fd, address, length) => note("connect", [fd, length], hex(address, length)),
      setsockopt: (fd, level, name, value, length) => {
        note("setsockopt", [fd, level, name], hex(value, length));
        const isBuffer = level === 0xffff && (name === 0x1001 || name === 0x1002);
        const asked = isBuffer ? new DataView(memoryAt(value, 4).buffer).getInt32(0, true) : 0;
        return asked > this.maxBuffer ? refuse(FREEBSD_ERRNO.ENOBUFS) : 0;
      },
      getsockopt: (_fd, _level, _name, value) => {
        memoryAt(value, 4).fill(0);
        return 0;
      },
      getsockname: (_fd, address) => {
        memoryAt(address, this.ownName.length / 2).set(unhex(this.ownName));
        return 0;
      },
      sendmsg: (_fd, message) => this.#see(message),
      recvmsg: (_fd, message) => this.#deliver(message) ?? refuse(FREEBSD_ERRNO.EAGAIN),
      memcpy: systemLibc().memcpy,
      sendmmsg: () => refuse(FREEBSD_ERRNO.EOPNOTSUPP),
      recvmmsg: () => refuse(FREEBSD_ERRNO.EOPNOTSUPP),
      errno: () => this.#errno,
    };
    return fakes as Libc;
  }

  #see(message: number): number {
    const header = memoryAt(message, FREEBSD.msghdr.size).slice();
    const view = new DataView(header.buffer);
    const vectors: number[] = [];
    let payload = "";
    const iov = Number(view.getBigUint64(16, true));
    for (let i = 0; i < view.getInt32(24, true); i++) {
      const vector = new DataView(memoryAt(iov + 16 * i, 16).slice().buffer);
      const length = Number(vector.getBigUint64(8, true));
      vectors.push(length);
      if (length > 0) payload += hex(Number(vector.getBigUint64(0, true)), length);
    }
    const name = hex(Number(view.getBigUint64(0, true)), view.getUint32(8, true));
    const control = hex(Number(view.getBigUint64(32, true)), view.getUint32(40, true));
    this.messages.push({ header, name, control, vectors, payload });
    return payload.length / 2;
  }

  #deliver(message: number): number | undefined {
    const next = this.incoming.shift();
    if (next === undefined) return undefined;
    const header = memoryAt(message, FREEBSD.msghdr.size);
    const view = new DataView(header.buffer, header.byteOffset);
    const iov = new DataView(memoryAt(Number(view.getBigUint64(16, true)), 16).slice().buffer);
    fill(Number(view.getBigUint64(0, true)), next.name);
    fill(Number(view.getBigUint64(32, true)), next.control);
    fill(Number(iov.getBigUint64(0, true)), next.payload);
    view.setUint32(8, next.name.length / 2, true);
    view.setUint32(40, next.control.length / 2, true);
    view.setInt32(44, next.flags, true);
    return next.payload.length / 2;
  }
}

export function hex(address: number, length: number): string {
  return length === 0 ? "" : memoryAt(address, length).toHex();
}

function fill(address: number, bytes: string): void {
  if (bytes !== "") memoryAt(address, bytes.length / 2).set(unhex(bytes));
}

function unhex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}
