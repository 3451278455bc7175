/** Fuzzes what people paste and write: a whole configuration, and the token that pairs. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validateConfiguration } from "../../src/config/load.ts";
import { parseEndpoint } from "../../src/endpoint.ts";
import { EXIT, NetcombinerError } from "../../src/errors.ts";
import { decodeToken, encodeToken, type Pairing } from "../../src/pairing/token.ts";
import { counting } from "../support/bytes.ts";
import { mutate } from "./mutate.ts";
import { check, type Target } from "./target.ts";

const utf8 = (words: string): Uint8Array => new TextEncoder().encode(words);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const KEY = counting(32, 9).toBase64();
/** Elsewhere it is what somebody gave as the value of something else, which faults quote. */
const SECRET_LINE = /^\s*(Private|Shared)Key\s*=/i;
const EXAMPLE = readFileSync(join(import.meta.dirname, "../../packaging/netcombiner.conf.example"), "utf8");
const CONFIGURATIONS = [
  EXAMPLE,
  // With what the example only mentions.
  EXAMPLE.replaceAll(/^# ?(?=[A-Z[])/gm, ""),
  `[Host]\nPrivateKey = ${KEY}\nPublicKey = ${counting(32, 99).toBase64()}\nAddress = 10.0.0.1/24, fd00::1/64\n[Peer]\nRemoteHost = 192.0.2.1\n`,
  "[Host]\nSecurity = none\nMTU = 1280\n[Peer]\nMethod = IP\nProtocol = 99\n[Peer]\nMethod = TCP\nLimitIn = 5M\n",
].map(utf8);

const configuration: Target = {
  draw: (random) => mutate(random, CONFIGURATIONS, 20_000),
  start: () => (_random, input) => {
    const file = { text: text(input), mode: 0o600 };
    const { configuration: found, faults } = validateConfiguration(file, "/x/nc0.conf", () => ({
      problem: "not there",
    }));
    check((found === undefined) === faults.length > 0, "neither a configuration nor a fault");
    const isOnlyWhereItBelongs = file.text.split("\n").every((line) => !line.includes(KEY) || SECRET_LINE.test(line));
    for (const fault of faults) {
      check(fault.text.length > 0 && Number.isInteger(fault.line), "a fault that says nothing");
      check(!isOnlyWhereItBelongs || !fault.text.includes(KEY), "a fault that tells a key");
    }
    for (const { settings } of found?.links ?? []) check(settings.name.length > 0, "a link without a name");
  },
};

const PAIRING: Pairing = {
  publicKey: counting(32, 5),
  secret: counting(16, 7),
  expires: 1_795_000_000,
  port: 4725,
  mtu: 0,
  addresses: [
    { address: parseEndpoint("10.9.0.1") as Uint8Array, prefix: 24 },
    { address: parseEndpoint("fd00::1") as Uint8Array, prefix: 64 },
  ],
  hosts: ["vpn.example.net", "192.0.2.1"],
};

const CONTENTS = [PAIRING, { ...PAIRING, addresses: [] }].map((pairing) =>
  Buffer.from(encodeToken(pairing).slice(4), "base64url").subarray(0, -4),
);

/** A token whose sum is right, so that the reader behind it is reached. */
function summed(contents: Uint8Array): string {
  const sum = createHash("sha256").update("netcombiner token 1").update(contents).digest().subarray(0, 4);
  return `nc1-${Buffer.concat([contents, sum]).toString("base64url")}`;
}

const token: Target = {
  draw: (random) =>
    random.chance(0.8)
      ? utf8(summed(mutate(random, CONTENTS, 400)))
      : mutate(random, [utf8(encodeToken(PAIRING))], 800),
  start: () => (_random, input) => {
    const words = text(input);
    try {
      const pairing = decodeToken(words);
      check(Bun.deepEquals(decodeToken(encodeToken(pairing)), pairing), "does not read back what it writes");
      check(pairing.port > 0 && pairing.hosts.length > 0, "nowhere to go");
    } catch (error) {
      check(error instanceof NetcombinerError && error.exitCode === EXIT.DATA, `not a fault for a person: ${error}`);
      check(words.length < 9 || !String(error).includes(words.slice(4)), "quotes the token");
    }
  },
};

export const TEXTS = { configuration, token } as const;
