// In a network namespace of its own: shakes hands with wireguard-go, as its peer, and prints what became of it.
import { existsSync } from "node:fs";
import { blake2s } from "@noble/hashes/blake2.js";
import { concatenate, Handshake } from "../../src/exchange/noise.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting } from "../support/bytes.ts";

const NAME = "wgnc0";
const PORT = 51_820;
/** Bytes; counted as received before the keepalive is. */
const INITIATION = 148;
const TAI64_OF_1970 = 2n ** 62n + 10n;
const [OWN, THEIRS, PSK] = [1, 60, 120].map((first) => counting(32, first)) as [Uint8Array, Uint8Array, Uint8Array];
const own = new KeyPair(OWN);
const theirs = new KeyPair(THEIRS);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Whitepaper, 5.4.2: type, sender, then the Noise message with a TAI64N timestamp, mac1 and an empty mac2. */
function initiation(handshake: Handshake): Uint8Array {
  const timestamp = new Uint8Array(12);
  new DataView(timestamp.buffer).setBigUint64(0, TAI64_OF_1970 + BigInt(Math.floor(Date.now() / 1000)));
  const noise = handshake.write(timestamp) as Uint8Array;
  const covered = concatenate(Uint8Array.of(1, 0, 0, 0, 7, 0, 0, 0), noise);
  const key = blake2s(concatenate(utf8("mac1----"), theirs.publicKey));
  return concatenate(covered, blake2s(covered, { key, dkLen: 16 }), new Uint8Array(16));
}

/** Whitepaper, 5.4.6: an empty datagram, the first under the new keys. */
function keepalive(receiver: Uint8Array, key: Uint8Array, seal: (key: Uint8Array) => Uint8Array): Uint8Array {
  return concatenate(Uint8Array.of(4, 0, 0, 0), receiver, new Uint8Array(8), seal(key));
}

async function untilExists(path: string): Promise<void> {
  while (!existsSync(path)) await Bun.sleep(5);
}

function run(command: string[], input = ""): string {
  const result = Bun.spawnSync(command, { stdin: Buffer.from(input), stderr: "inherit" });
  if (result.exitCode !== 0) throw new Error(command.join(" "));
  return result.stdout.toString();
}

const daemon = Bun.spawn(["wireguard-go", "-f", NAME], {
  env: { PATH: process.env.PATH ?? "", WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: "1" },
  stdio: ["ignore", "ignore", "ignore"],
});
try {
  await untilExists(`/var/run/wireguard/${NAME}.sock`);
  run(
    ["wg", "setconf", NAME, "/dev/stdin"],
    `[Interface]
PrivateKey = ${THEIRS.toBase64()}
ListenPort = ${PORT}
[Peer]
PublicKey = ${own.publicKey.toBase64()}
PresharedKey = ${PSK.toBase64()}
`,
  );
  run(["ip", "link", "set", NAME, "up"]);
  const handshake = new Handshake("IKpsk2", {
    isInitiator: true,
    prologue: utf8("WireGuard v1 zx2c4 Jason@zx2c4.com"),
    psk: PSK,
    ephemeral: new KeyPair(crypto.getRandomValues(new Uint8Array(32))),
    static: own,
    remoteStatic: theirs.publicKey,
  });
  const answer = Promise.withResolvers<Uint8Array>();
  const socket = await Bun.udpSocket({ socket: { data: (_socket, data) => answer.resolve(Uint8Array.from(data)) } });
  socket.send(initiation(handshake), PORT, "127.0.0.1");
  const response = await answer.promise;
  const payload = handshake.read(response.subarray(12, 60));
  const { chacha20poly1305 } = await import("@noble/ciphers/chacha.js");
  const seal = (key: Uint8Array) => chacha20poly1305(key, new Uint8Array(12)).encrypt(new Uint8Array(0));
  socket.send(keepalive(response.slice(4, 8), handshake.split()[0], seal), PORT, "127.0.0.1");
  // Whoever started this ends it when the answer does not come.
  const told = (what: string) => Number(run(["wg", "show", NAME, what]).split("\t")[1]);
  let received = 0;
  while (received <= INITIATION) received = told("transfer");
  const handshakeAt = told("latest-handshakes");
  socket.close();
  console.log(JSON.stringify({ type: response[0], payload: payload?.length, isDone: handshakeAt > 0, received }));
} finally {
  daemon.kill();
  await daemon.exited;
}
