// @hot
/** Fields of TCP (RFC 9293) and UDP (RFC 768) headers in the user's packets; `at` is where the transport header begins. */

/** Flags of a TCP header, byte 13. */
export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;
/** Those flags that tell what a segment is for. */
export const TCP_PURPOSE = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK;
/** Bytes of a TCP header without options. */
export const TCP_HEADER = 20;

export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at);
}

export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

export function tcpSequence(view: DataView, at: number): number {
  return view.getUint32(at + 4);
}

/** Returns the acknowledgement number. */
export function tcpAcknowledgement(view: DataView, at: number): number {
  return view.getUint32(at + 8);
}

/** Returns the bytes of the header that the header claims, options included. */
export function tcpHeaderSize(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) << 2;
}

/** Returns the flags, bits of `TCP_FLAG`. */
export function tcpFlags(view: DataView, at: number): number {
  return view.getUint8(at + 13);
}
