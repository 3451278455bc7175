// A process with two portals that change their keys many times. It tells which secrets there were, each byte inverted, so that telling puts none
// of them into memory; then it waits, and its parent looks for them. Arguments: the library of the ciphers, the suite.
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import { Handshake } from "../../src/exchange/noise.ts";
import { Portal } from "../../src/portal/portal.ts";
import { KEY_LIMITS, type SecurityName } from "../../src/portal/settings.ts";
import type { Ciphers } from "../../src/ports.ts";
import { PORTABLE_CIPHERS } from "../../src/security/portable-ciphers.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { End, Pair } from "../portal/pair.ts";
import { linkSettings } from "../support/portal-end.ts";
import { SeededRandom } from "../support/random.ts";

const [library, suite] = process.argv.slice(2) as ["libcrypto" | "runtime", SecurityName];
const ciphers = library === "libcrypto" ? (openLibcrypto() as Ciphers) : PORTABLE_CIPHERS;

const SIZE = 32;
const told: { kind: string; inverted: Uint8Array }[] = [];

function note(kind: string, secret: Uint8Array): void {
  const inverted = new Uint8Array(SIZE);
  for (let i = 0; i < SIZE; i++) inverted[i] = ~(secret[i] as number);
  told.push({ kind, inverted });
}

const watched: Ciphers = {
  name: ciphers.name,
  x25519: {
    publicKey(privateKey) {
      note("private", privateKey);
      return ciphers.x25519.publicKey(privateKey);
    },
    agree(privateKey, publicKey) {
      const secret = ciphers.x25519.agree(privateKey, publicKey);
      if (secret) note("agreed", secret);
      return secret;
    },
  },
  create(cipher, key) {
    note("path", key);
    return ciphers.create(cipher, key);
  },
};

const { split } = Handshake.prototype;
Handshake.prototype.split = function (this: Handshake) {
  const secrets = split.call(this);
  for (const secret of secrets) note("handshake", secret);
  return secrets;
};

function privateKey(seed: number): Uint8Array {
  const key = new Uint8Array(SIZE);
  new SeededRandom(seed).bytes(key);
  return key;
}

const keyLimits = { ...KEY_LIMITS, rekeyAfter: 20 * MICROS_PER_SECOND };
const [own, peers] = [privateKey(1), privateKey(2)];
const pair = new Pair(new End("192.0.2.1", 3), new End("192.0.2.2", 4));

function start(end: End, seed: number, key: Uint8Array, peer: Uint8Array): void {
  const { publicKey: peerKey } = new KeyPair(peer, ciphers.x25519);
  const settings = { security: suite, privateKey: key, peerKey, keyLimits, mtu: 1400 };
  end.portal = new Portal(settings, end.pool, new SeededRandom(seed).bytes, watched);
}
start(pair.a, 5, own, peers);
start(pair.b, 6, peers, own);
pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
pair.run(200 * MICROS_PER_SECOND);
// Where the library leaves erasing to the collector, that has its turn.
if (library === "runtime") for (let i = 0; i < 3; i++) Bun.gc(true);

const secrets = told.map(({ kind, inverted }) => ({ kind, inverted: inverted.toHex() }));
console.log(JSON.stringify({ secrets, epochs: pair.a.portal.paths[0]?.keys.epoch }));
// Held while the parent looks.
process.stdin.on("end", () => process.exit(pair.now > 0 ? 0 : 1));
process.stdin.resume();
