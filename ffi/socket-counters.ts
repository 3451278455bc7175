/**
 * Counts what happened to the datagrams at a socket. Nothing the network does throws: it is counted here, and the last errno is
 * kept so that a path can tell why it is silent.
 */
export class SocketCounters {
  /** Datagrams handed to the caller, those too long for a slot included. */
  received = 0;
  /** Datagrams the kernel took. */
  sent = 0;
  /** Longer than a slot; handed over with length 0. */
  truncated = 0;
  /** Read and dropped because the arena had no slot. */
  noSlot = 0;
  /** Larger than the path takes (EMSGSIZE). */
  tooBig = 0;
  /** Bytes of the smallest of them since the reader set this to 0. */
  tooBigSize = 0;
  /** Datagrams that the network or the host refused: unreachable, down, no such source address, forbidden. */
  lost = 0;
  /** Asynchronous errors told by a receiving call, such as a refused port. */
  errors = 0;
  /** The errno of the last `lost` or `errors`, 0 before the first. */
  lastError = 0;

  /** Counts a datagram of `bytes` that is larger than the path takes. */
  refuse(bytes: number): void {
    this.tooBig++;
    if (this.tooBigSize === 0 || bytes < this.tooBigSize) this.tooBigSize = bytes;
  }
}
