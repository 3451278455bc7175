// @hot
/**
 * The blocking wait on a changing set of descriptors: ppoll(2), for its timeout finer than a millisecond. With the
 * handful of descriptors of a tunnel it costs no more than epoll or kqueue, and both systems have it.
 * Nothing is allocated after the set has grown to its size.
 *
 *     poller.wait(1500);
 *     for (let at = poller.next(-1); at >= 0; at = poller.next(at)) use(poller.fd(at), poller.events(at));
 */
import { ERRNO, systemError } from "./errno.ts";
import { POLL } from "./layout.ts";
import { type Libc, pointerTo, systemLibc } from "./libc.ts";

/** struct pollfd: int fd, short events, short revents. */
const POLLFD_SIZE = 8;

export class Poller {
  readonly #libc: Libc;
  #capacity = 32;
  #fds = new Int32Array(0);
  #events = new Int16Array(0);
  #address = 0;
  #count = 0;
  /** struct timespec: seconds and nanoseconds, 64 bits each; the upper halves stay 0. */
  readonly #timespec = new Uint32Array(new ArrayBuffer(16));
  readonly #timespecAddress = pointerTo(this.#timespec);

  constructor(libc: Libc = systemLibc()) {
    this.#libc = libc;
    this.#resize(this.#capacity);
  }

  /** Watches `fd` for `events` (bits of `POLL`); again for one watched already replaces its events. */
  add(fd: number, events: number = POLL.IN): void {
    let at = this.#find(fd);
    if (at < 0) {
      if (this.#count === this.#capacity) this.#resize(2 * this.#capacity);
      at = this.#count++;
      this.#fds[2 * at] = fd;
    }
    this.#events[4 * at + 2] = events;
    this.#events[4 * at + 3] = 0;
  }

  /** Forgets `fd`; to be called before it is closed. Not while iterating. */
  remove(fd: number): void {
    const at = this.#find(fd);
    if (at < 0) return;
    const last = --this.#count;
    this.#fds.copyWithin(2 * at, 2 * last, 2 * last + 2);
  }

  /** Sets whether the wait ends when `fd` can be read; an error or hang-up always ends it. */
  setReadable(fd: number, wanted: boolean): void {
    this.#setEvent(fd, POLL.IN, wanted);
  }

  /** Sets whether the wait ends when `fd` can be written. */
  setWritable(fd: number, wanted: boolean): void {
    this.#setEvent(fd, POLL.OUT, wanted);
  }

  /**
   * Blocks until something is ready or the time is over.
   * @param timeout microseconds, fractions count; 0 or less only looks, Infinity waits for ever
   * @returns descriptors ready, 0 after the timeout or a signal
   */
  wait(timeout: number): number {
    const ready = this.#libc.ppoll(this.#address, this.#count, this.#deadline(timeout), 0);
    if (ready >= 0) return ready;
    const errno = this.#libc.errno();
    if (errno !== ERRNO.EINTR && errno !== ERRNO.EAGAIN) throw systemError("ppoll", errno);
    // The kernel leaves the answers of the wait before in place.
    for (let at = 0; at < this.#count; at++) this.#events[4 * at + 3] = 0;
    return 0;
  }

  /** Returns the index of the next ready descriptor after index `at`, -1 if there is no more. */
  next(at: number): number {
    for (let i = at + 1; i < this.#count; i++) if (this.#events[4 * i + 3] !== 0) return i;
    return -1;
  }

  fd(at: number): number {
    return this.#fds[2 * at] as number;
  }

  /** Returns what is ready at index `at`, bits of `POLL`. */
  events(at: number): number {
    return this.#events[4 * at + 3] as number;
  }

  #deadline(timeout: number): number {
    if (timeout === Number.POSITIVE_INFINITY) return 0;
    const micros = Math.min(Math.max(0, timeout), 0x7fff_ffff * 1e6);
    const seconds = Math.floor(micros / 1e6);
    this.#timespec[0] = seconds;
    this.#timespec[2] = Math.min(999_999_999, Math.ceil((micros - seconds * 1e6) * 1000));
    return this.#timespecAddress;
  }

  #setEvent(fd: number, bit: number, wanted: boolean): void {
    const at = this.#find(fd);
    if (at < 0) return;
    const events = this.#events[4 * at + 2] as number;
    this.#events[4 * at + 2] = wanted ? events | bit : events & ~bit;
  }

  #find(fd: number): number {
    for (let at = 0; at < this.#count; at++) if (this.#fds[2 * at] === fd) return at;
    return -1;
  }

  #resize(capacity: number): void {
    const memory = new ArrayBuffer(POLLFD_SIZE * capacity);
    const fds = new Int32Array(memory);
    fds.set(this.#fds);
    this.#fds = fds;
    this.#events = new Int16Array(memory);
    this.#address = pointerTo(memory);
    this.#capacity = capacity;
  }
}
