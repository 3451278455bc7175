/**
 * Answers the speed tests of the peer: listens at this end's address in the tunnel while one is under way, and no longer.
 * A client that does not begin with the secret, which came authenticated through the tunnel, is disconnected.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { parseEndpoint } from "../../endpoint.ts";
import { SPEED_TEST_PORT } from "../../host/request.ts";
import type { Responder } from "../../portal/query.ts";
import { encodeResult, HEAD_SIZE, receive, SECRET_SIZE, send, WAY } from "./transfer.ts";

const CONNECTIONS_MAX = 4;
const SECONDS_MAX = 60;
const IDLE_MS = 15_000;

export interface WantedResponder {
  readonly token: number;
  readonly secret: Uint8Array;
  /** Time it is wanted in all. */
  readonly seconds: number;
}

/** One responder at a time: a request with another secret replaces the former. */
export class SpeedResponder {
  #server: Server | undefined;
  #secret: Uint8Array | undefined;
  #timer: Timer | undefined;
  readonly #sockets = new Set<Socket>();

  /**
   * Opens the responder unless it is open already. Returns where it listens, port 0 if nowhere.
   * @param address this end's in the tunnel; undefined if it has none
   */
  async open({ secret, seconds }: WantedResponder, address: string | undefined): Promise<Responder> {
    const endpoint = address === undefined ? undefined : parseEndpoint(address);
    if (address === undefined || !endpoint) return NOWHERE;
    if (!this.#secret || !Buffer.from(this.#secret).equals(secret)) {
      this.close();
      this.#secret = secret;
      this.#server = await listen(address, (socket) => this.#serve(socket));
      this.#timer = setTimeout(() => this.close(), seconds * 1_000);
    }
    const bound = this.#server?.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    return { port, addresses: [endpoint] };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server = undefined;
    this.#secret = undefined;
  }

  #serve(socket: Socket): void {
    if (this.#sockets.size >= CONNECTIONS_MAX) return void socket.destroy();
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.once("readable", () => {
      const head: Uint8Array | null = socket.read(HEAD_SIZE);
      if (head && this.#isAllowed(head)) void transfer(socket, head);
      else socket.destroy();
    });
  }

  #isAllowed(head: Uint8Array): boolean {
    return this.#secret !== undefined && timingSafeEqual(head.subarray(0, SECRET_SIZE), this.#secret);
  }
}

const NOWHERE: Responder = { port: 0, addresses: [] };

async function transfer(socket: Socket, head: Uint8Array): Promise<void> {
  const seconds = Math.min(head[SECRET_SIZE + 1] as number, SECONDS_MAX);
  try {
    if (head[SECRET_SIZE] === WAY.TO_CLIENT) await send(socket, seconds);
    else socket.end(encodeResult(await receive(socket, seconds)));
  } catch {
    socket.destroy();
  }
}

async function listen(address: string, onConnection: (socket: Socket) => void): Promise<Server> {
  try {
    return await listenAt(address, SPEED_TEST_PORT, onConnection);
  } catch {
    return await listenAt(address, 0, onConnection);
  }
}

function listenAt(address: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = createServer({ allowHalfOpen: true }, onConnection);
  server.once("error", reject);
  server.listen(port, address, () => resolve(server));
  return promise;
}
