import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfiguration } from "../../src/config/load.ts";
import { EnrolmentDesk } from "../../src/daemon/enrolment-desk.ts";
import { Log } from "../../src/daemon/process/log.ts";
import { remoteConfiguration } from "../../src/pairing/configuration-text.ts";
import { requestEnrolment } from "../../src/pairing/enrolment.ts";
import { newPairing, newPrivateKey } from "../../src/pairing/remote.ts";
import { encodeToken, type Pairing } from "../../src/pairing/token.ts";
import { keepToken, removeToken, tokenPath, writeConfiguration } from "../../src/pairing/write.ts";
import { KeyPair } from "../../src/security/x25519.ts";

const NOW = Date.UTC(2026, 10, 29);
const HOUR = 3_600_000;
const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
const fill = (out: Uint8Array) => void out.set(random(out.length));

let folder = "";
let path = "";
let pairing: Pairing;
let lines: string[] = [];
let desk: EnrolmentDesk;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-enrolment-"));
  path = join(folder, "nc0.conf");
  lines = [];
  const options = { hosts: ["vps.example"], port: undefined, addresses: [] };
  const made = newPairing(options, {}, { random, now: NOW });
  ({ pairing } = made);
  writeConfiguration(path, remoteConfiguration("nc0", made), false);
  keepToken(path, encodeToken(pairing));
  const log = new Log({ write: (_level, text) => void lines.push(text) }, () => 0);
  desk = new EnrolmentDesk(new KeyPair(made.privateKey), undefined, path, log);
});

afterEach(() => rmSync(folder, { recursive: true }));

function newRequest(secret = pairing.secret) {
  const keyPair = new KeyPair(newPrivateKey(random));
  return { ...requestEnrolment(keyPair, pairing.publicKey, secret, fill), publicKey: keyPair.publicKey };
}

const peerKey = () => loadConfiguration(path).tunnel.peerKey;

describe("A remote portal that waits for the local one", () => {
  test("writes the key of who knows the secret into its configuration, changes nothing else, and removes the token", async () => {
    const before = readFileSync(path, "utf8");
    expect(loadConfiguration(path).awaitsPeer).toBe(true);
    const { message, complete, publicKey } = newRequest();
    expect(complete(desk.answer(message, NOW) as Uint8Array)).toEqual({ sharedKey: undefined });
    await desk.enrolled;
    expect(loadConfiguration(path)).toMatchObject({ awaitsPeer: false, tunnel: { peerKey: publicKey } });
    expect(readFileSync(path, "utf8")).toBe(before.replace("PublicKey = join", `PublicKey = ${publicKey.toBase64()}`));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(tokenPath(path))).toBe(false);
    expect(lines).toEqual([expect.stringContaining(`has joined: PublicKey = ${publicKey.toBase64()}`)]);
    expect(lines.join()).not.toContain(encodeToken(pairing));
  });

  test("answers the same portal again, whose first response may be lost, and nobody else", () => {
    const [first, second] = [newRequest(), newRequest()];
    desk.answer(first.message, NOW);
    expect(first.complete(desk.answer(first.message, NOW) as Uint8Array)).toBeDefined();
    expect(desk.answer(second.message, NOW)).toBeUndefined();
    expect(peerKey()).toEqual(first.publicKey);
    expect(lines.at(-1)).toContain("the token was used");
  });

  test("refuses a wrong secret, and a token that is expired, revoked or damaged", () => {
    expect(desk.answer(newRequest(random(16)).message, NOW)).toBeUndefined();
    expect(lines.at(-1)).toContain("does not know the secret");
    expect(desk.answer(newRequest().message, NOW + 25 * HOUR)).toBeUndefined();
    keepToken(path, encodeToken(pairing).slice(0, -1));
    expect(desk.answer(newRequest().message, NOW)).toBeUndefined();
    keepToken(path, encodeToken({ ...pairing, publicKey: new KeyPair(random(32)).publicKey }));
    expect(desk.answer(newRequest().message, NOW)).toBeUndefined();
    removeToken(path);
    expect(desk.answer(newRequest().message, NOW)).toBeUndefined();
    expect(lines.at(-1)).toContain("no valid token");
    expect(peerKey()).toBeUndefined();
    // A new token needs no restart.
    keepToken(path, encodeToken(pairing));
    expect(desk.answer(newRequest().message, NOW + 23 * HOUR)).toBeDefined();
  });

  test("decrypts no more than a few requests a second, and takes what is no request for nothing", () => {
    const wrong = newRequest(random(16)).message;
    for (let i = 0; i < 1_000; i++) expect(desk.answer(i % 2 === 0 ? wrong : random(120), NOW)).toBeUndefined();
    expect(desk.answer(newRequest().message, NOW)).toBeUndefined();
    expect(desk.answer(newRequest().message, NOW + 1_000)).toBeDefined();
  });
});
