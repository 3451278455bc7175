/** Sends the request of the local portal to the remote one, until it answers. */
import { lookup } from "node:dns/promises";
import { EXIT, NetcombinerError } from "../errors.ts";
import { KeyPair } from "../security/x25519.ts";
import { requestEnrolment } from "./enrolment.ts";
import { newPrivateKey } from "./remote.ts";
import type { Pairing } from "./token.ts";

const INTERVAL_MS = 400;
/** Enough for two dozen tries over a link that loses most packets. */
const TIMEOUT_MS = 10_000;

/** The keys of a local portal that the remote one has accepted. */
export interface EnrolledKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Used by both portals besides the key pairs, if the remote portal has one. */
  readonly sharedKey: Uint8Array | undefined;
}

/**
 * Makes a key pair, whose private key never leaves this host, and has the remote portal accept it.
 * @throws NetcombinerError if no answer comes
 */
export async function enrol(pairing: Pairing): Promise<EnrolledKeys> {
  const privateKey = newPrivateKey((size) => crypto.getRandomValues(new Uint8Array(size)));
  const keyPair = new KeyPair(privateKey);
  const { publicKey, secret, hosts, port } = pairing;
  const random = (bytes: Uint8Array) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const request = requestEnrolment(keyPair, publicKey, secret, random);
  const answer = Promise.withResolvers<{ readonly sharedKey: Uint8Array | undefined }>();
  const sockets = new Map<string, Bun.udp.Socket<"buffer">>();
  const handler = {
    data: (_socket: unknown, data: Uint8Array) => {
      const keys = request.complete(data);
      if (keys) answer.resolve(keys);
    },
    // As port unreachable: the remote portal may be starting.
    error: () => undefined,
  };
  const addresses = await addressesOf(hosts);
  for (const hostname of ["0.0.0.0", "::"]) {
    const socket = await Bun.udpSocket({ hostname, socket: handler }).catch(() => undefined);
    if (socket) sockets.set(hostname, socket);
  }
  const send = () => {
    for (const address of addresses)
      trySend(sockets.get(address.includes(":") ? "::" : "0.0.0.0"), request.message, port, address);
  };
  send();
  const timer = setInterval(send, INTERVAL_MS);
  const timeout = setTimeout(() => answer.reject(noAnswer(pairing)), TIMEOUT_MS);
  try {
    const { sharedKey } = await answer.promise;
    return { privateKey, publicKey: keyPair.publicKey, sharedKey };
  } finally {
    request.wipe();
    clearInterval(timer);
    clearTimeout(timeout);
    for (const socket of sockets.values()) socket.close();
  }
}

/** Skips an address that a link has no route to, as the others remain. */
function trySend(
  socket: Bun.udp.Socket<"buffer"> | undefined,
  message: Uint8Array,
  port: number,
  address: string,
): void {
  try {
    socket?.send(message, port, address);
  } catch {
    // As if it were lost.
  }
}

async function addressesOf(hosts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(hosts.map((host) => lookup(host, { all: true }).catch(() => [])));
  const addresses = [...new Set(found.flat().map(({ address }) => address))];
  if (addresses.length > 0) return addresses;
  throw new NetcombinerError(`cannot resolve ${hosts.join(", ")}`, EXIT.UNAVAILABLE);
}

function noAnswer({ hosts, port, expires }: Pairing): NetcombinerError {
  const date = new Date(expires * 1_000).toISOString().slice(0, 16).replace("T", " ");
  const text = [
    `no answer from ${hosts.join(", ")} on UDP port ${port}; nothing was written here. Is the remote portal running, and do its`,
    "firewall and its provider's let the port in? A token works once, and this one until",
    `${date} UTC: "netcombiner init" on the remote portal prints a new one`,
  ];
  return new NetcombinerError(text.join(" "), EXIT.UNAVAILABLE);
}
