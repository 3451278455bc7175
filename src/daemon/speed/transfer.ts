/**
 * The two halves of a transfer of a speed test, over a TCP connection between the tunnel's own addresses. The end that receives
 * measures, without the first second, in which TCP finds its rate; it counts the bytes of the application, no headers.
 *
 *     client:     | secret:128 | way:8 | seconds:8 |      way 0: the client sends, 1: it receives
 *     sender:     zeros for so many seconds, then the end
 *     receiver:   if it is not the client: | bytes:64 | microseconds:64 | and the end
 */
import type { Socket } from "node:net";

export const WAY = { TO_RESPONDER: 0, TO_CLIENT: 1 } as const;
export const SECRET_SIZE = 16;
export const HEAD_SIZE = SECRET_SIZE + 2;
export const RESULT_SIZE = 16;

const CHUNK = new Uint8Array(64 * 1024);
/** Time left out at the start, milliseconds; at most half of the transfer. */
const WARM_UP_MS = 1_000;

export interface Measured {
  readonly bytes: number;
  /** Microseconds. */
  readonly time: number;
}

/** Sends as fast as the connection takes it; resolves once the kernel has the last byte. */
export async function send(socket: Socket, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end && !socket.destroyed) {
    if (!socket.write(CHUNK)) await drained(socket);
  }
  socket.end();
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}

/** Counts the bytes until the other end has sent everything. Rejects if the connection breaks before. */
export function receive(socket: Socket, seconds: number): Promise<Measured> {
  const { promise, resolve, reject } = Promise.withResolvers<Measured>();
  const warmUp = Math.min(WARM_UP_MS, (seconds * 1_000) / 2);
  let began = 0;
  let bytes = 0;
  let last = 0;
  socket.on("data", (chunk: Uint8Array) => {
    last = performance.now();
    if (began === 0) began = last;
    if (last - began >= warmUp) bytes += chunk.length;
  });
  socket.on("end", () => resolve({ bytes, time: Math.max(0, Math.round((last - began - warmUp) * 1_000)) }));
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the connection ended before its time")));
  return promise;
}

export function encodeResult({ bytes, time }: Measured): Uint8Array {
  const out = new Uint8Array(RESULT_SIZE);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(bytes));
  view.setBigUint64(8, BigInt(time));
  return out;
}

export function decodeResult(bytes: Uint8Array): Measured {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes: Number(view.getBigUint64(0)), time: Number(view.getBigUint64(8)) };
}
