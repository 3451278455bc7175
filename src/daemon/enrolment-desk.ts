/**
 * Waits for the local portal to enrol, before the tunnel starts: the configuration says `PublicKey = join`, and the token beside
 * it has the secret. The token is read for each request, so that `init` makes and revokes tokens while this waits.
 */
import type { Configuration } from "../config/configuration.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { AddressKeys } from "../exchange/cookies.ts";
import { answerEnrolment, type Enrolment, isEnrolmentRequest } from "../pairing/enrolment.ts";
import { liveToken } from "../pairing/remote.ts";
import { removeToken, setPeerKey } from "../pairing/write.ts";
import { KeyPair } from "../security/x25519.ts";
import type { Log } from "./process/log.ts";

/** Requests per second that are decrypted at most; the rest are dropped. Only who knows our public key gets this far. */
const REQUESTS_PER_SECOND = 20;
/** Time to answer the same request again after it was accepted, ms: the response may be lost. */
const LINGER_MS = 1_500;

/**
 * Resolves when a local portal has enrolled: its public key is in the configuration file, and the token is gone.
 * @throws NetcombinerError if the configuration has no link to wait on, or the port cannot be opened
 */
export async function awaitEnrolment(
  configuration: Configuration,
  path: string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { privateKey, sharedKey } = configuration.tunnel;
  const listener = configuration.links.find(({ settings }) => settings.role === "listen" && settings.method === "UDP");
  if (!privateKey || !listener) {
    throw new NetcombinerError(
      `${path}: PublicKey = join needs a PrivateKey and a link that listens on UDP`,
      EXIT.CONFIG,
    );
  }
  const { localHost, localPort } = listener.transport;
  const keyPair = new KeyPair(privateKey);
  const desk = new EnrolmentDesk(keyPair, sharedKey, path, log);
  const socket = await openSocket(localHost, localPort, (data, answer) => {
    const response = desk.answer(data, Date.now());
    if (response) answer(response);
  });
  try {
    await Promise.race([desk.enrolled, aborted(signal)]);
    if (!signal.aborted) await Promise.race([Bun.sleep(LINGER_MS), aborted(signal)]);
  } finally {
    socket.close();
    keyPair.wipe();
  }
}

/** Decides about requests; writes the key of the first one that knows the secret. */
export class EnrolmentDesk {
  readonly #keyPair: KeyPair;
  readonly #addressKeys: AddressKeys;
  readonly #sharedKey: Uint8Array | undefined;
  readonly #path: string;
  readonly #log: Log;
  readonly #done = Promise.withResolvers<void>();
  /** The secret and the key it enrolled, for requests that are sent again. */
  #accepted: { readonly secret: Uint8Array; readonly publicKey: string } | undefined;
  #second = 0;
  #requests = 0;

  /** @param path the configuration file, beside which the token is kept */
  constructor(keyPair: KeyPair, sharedKey: Uint8Array | undefined, path: string, log: Log) {
    this.#keyPair = keyPair;
    this.#addressKeys = new AddressKeys(keyPair.publicKey);
    this.#sharedKey = sharedKey;
    this.#path = path;
    this.#log = log;
  }

  /** Resolves when a local portal has enrolled. */
  get enrolled(): Promise<void> {
    return this.#done.promise;
  }

  /** Returns the response to a datagram, if it deserves one. @param now milliseconds since 1970 */
  answer(datagram: Uint8Array, now: number): Uint8Array | undefined {
    if (!isEnrolmentRequest(datagram, this.#addressKeys) || this.#isTooMuch(now)) return undefined;
    const secret = this.#accepted?.secret ?? liveToken(this.#path, this.#keyPair.publicKey, now)?.secret;
    if (!secret) return this.#refuse("there is no valid token; netcombiner init prints a new one");
    const random = (bytes: Uint8Array) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
    const enrolment = answerEnrolment(datagram, this.#keyPair, secret, this.#sharedKey, random);
    if (!enrolment) return this.#refuse("it does not know the secret of the token");
    return this.#accept(enrolment, secret);
  }

  #accept({ publicKey, response }: Enrolment, secret: Uint8Array): Uint8Array | undefined {
    const text = publicKey.toBase64();
    if (this.#accepted) return this.#accepted.publicKey === text ? response : this.#refuse("the token was used");
    // The file first: a token that is used up without a key in the file would leave nobody a way in.
    setPeerKey(this.#path, text);
    removeToken(this.#path);
    this.#accepted = { secret, publicKey: text };
    this.#log.info(`the local portal has joined: PublicKey = ${text}; the token is used up`);
    this.#done.resolve();
    return response;
  }

  #refuse(reason: string): undefined {
    this.#log.log("warn", `refused a local portal that wants to join: ${reason}`, "enrolment");
    return undefined;
  }

  #isTooMuch(now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) this.#requests = 0;
    this.#second = second;
    return ++this.#requests > REQUESTS_PER_SECOND;
  }
}

type Receive = (data: Uint8Array, answer: (response: Uint8Array) => void) => void;

/** Opens the port for both IP versions where no address is configured. */
async function openSocket(host: string | undefined, port: number, receive: Receive) {
  const socket = {
    data: (from: Bun.udp.Socket<"buffer">, data: Uint8Array, remotePort: number, address: string) =>
      receive(data, (response) => void from.send(response, remotePort, address)),
    error: () => undefined,
  };
  const open = (hostname: string) => Bun.udpSocket({ hostname, port, socket });
  try {
    if (host !== undefined) return await open(host);
    return await open("::").catch(() => open("0.0.0.0"));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot wait for the local portal on UDP port ${port}: ${problem}`, EXIT.OS);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
