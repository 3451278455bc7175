import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { SpeedResponder } from "../../../src/daemon/speed/responder.ts";
import {
  decodeResult,
  encodeResult,
  HEAD_SIZE,
  RESULT_SIZE,
  receive,
  SECRET_SIZE,
  WAY,
} from "../../../src/daemon/speed/transfer.ts";

const SECRET = new Uint8Array(SECRET_SIZE).fill(4);
const WANTED = { token: 1, secret: SECRET, seconds: 20 };

const responder = new SpeedResponder();
afterEach(() => responder.close());

function client(port: number, head: Uint8Array): Socket {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.write(head);
  return socket;
}

function head(secret: Uint8Array, way: number, seconds: number): Uint8Array {
  const out = new Uint8Array(HEAD_SIZE);
  out.set(secret);
  out[SECRET_SIZE] = way;
  out[SECRET_SIZE + 1] = seconds;
  return out;
}

/** Everything that comes until the end, whatever ends it. */
function everything(socket: Socket): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  return new Promise((resolve) => socket.on("close", () => resolve(Buffer.concat(chunks))));
}

describe("The responder of a speed test", () => {
  test("is opened once for each secret, and where there is an address", async () => {
    const first = await responder.open(WANTED, "127.0.0.1");
    expect(first.port).toBeGreaterThan(0);
    expect(await responder.open({ ...WANTED, token: 2 }, "127.0.0.1")).toEqual(first);
    expect(await responder.open(WANTED, undefined)).toEqual({ port: 0, addresses: [] });
    expect(responder.open({ ...WANTED, secret: SECRET.map(() => 9) }, "192.0.2.99")).rejects.toThrow();
  });

  test("counts what it receives, and says so at the end", async () => {
    const { port } = await responder.open(WANTED, "127.0.0.1");
    const socket = client(port, head(SECRET, WAY.TO_RESPONDER, 0));
    const answer = everything(socket);
    socket.end(new Uint8Array(100_000));
    const bytes = await answer;
    expect(bytes).toHaveLength(RESULT_SIZE);
    expect(decodeResult(bytes).bytes).toBe(100_000);
  });

  test("sends for the time that was asked for, and ends", async () => {
    const { port } = await responder.open(WANTED, "127.0.0.1");
    const { bytes, time } = await receive(client(port, head(SECRET, WAY.TO_CLIENT, 1)), 1);
    expect(bytes).toBeGreaterThan(0);
    expect(time).toBeGreaterThan(0);
  });

  test("turns away whoever does not begin with the secret, and ends all when it is closed", async () => {
    const { port } = await responder.open(WANTED, "127.0.0.1");
    const wrong = SECRET.with(15, 5);
    expect(await everything(client(port, head(wrong, WAY.TO_CLIENT, 1)))).toHaveLength(0);
    expect(await everything(client(port, SECRET.subarray(0, 3)).end())).toHaveLength(0);
    const allowed = client(port, head(SECRET, WAY.TO_CLIENT, 60));
    const ended = everything(allowed);
    await new Promise((resolve) => allowed.once("data", resolve));
    responder.close();
    expect((await ended).length).toBeGreaterThan(0);
  });

  test("keeps figures whole on their way", () => {
    for (const measured of [
      { bytes: 0, time: 0 },
      { bytes: 2 ** 48, time: 60_000_000 },
    ]) {
      expect(decodeResult(encodeResult(measured))).toEqual(measured);
    }
  });
});
