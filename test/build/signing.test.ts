// Signatures of releases, verified by a verifier written from the formats, and by minisign and signify where they are installed.
import { afterAll, describe, expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReleaseKey, publicText, readReleaseKey } from "../../build/signing/release-key.ts";
import { signatureFiles } from "../../build/signing/signatures.ts";

const folder = mkdtempSync(join(tmpdir(), "nc-sign-"));
afterAll(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);

const SECRET = place("release.sec");
createReleaseKey(SECRET);
const key = readReleaseKey(SECRET);
const FILE = { fileName: "SHA256SUMS", bytes: new TextEncoder().encode("0123  netcombiner.deb\n") };

/** Writes the file and its signatures, and returns the text of those. */
function signed(): Record<string, string> {
  writeFileSync(place(FILE.fileName), FILE.bytes);
  const files = signatureFiles(FILE, key, 1_767_323_045);
  for (const { fileName, bytes } of files) writeFileSync(place(fileName), bytes);
  return Object.fromEntries(files.map(({ fileName, bytes }) => [fileName, new TextDecoder().decode(bytes)]));
}

/** The Ed25519 key in a public key file: "Ed", 8 bytes of number, 32 bytes of key (SubjectPublicKeyInfo of RFC 8410 around it). */
function ed25519Of(text: string) {
  const bytes = Buffer.from(text.split("\n")[1] ?? "", "base64");
  expect(bytes.length).toBe(42);
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), bytes.subarray(10)]);
  return { number: bytes.subarray(2, 10), publicKey: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

describe("a release key", () => {
  test("is written for its owner alone, and its public halves for everybody", () => {
    expect(statSync(SECRET).mode & 0o777).toBe(0o600);
    expect(readFileSync(place("release.pub"), "utf8")).toBe(publicText(key));
    expect(readFileSync(place("release.pem"), "utf8")).toStartWith("-----BEGIN PUBLIC KEY-----\n");
    const secrets = readFileSync(SECRET, "utf8")
      .split("\n")
      .filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line));
    expect(secrets.length).toBeGreaterThan(1);
    const open = readFileSync(place("release.pub"), "utf8") + readFileSync(place("release.pem"), "utf8");
    expect(secrets.filter((secret) => open.includes(secret))).toEqual([]);
  });

  test("never replaces another", () => {
    const before = readFileSync(SECRET, "utf8");
    expect(() => createReleaseKey(SECRET)).toThrow("exists");
    expect(readFileSync(SECRET, "utf8")).toBe(before);
    writeFileSync(place("other.pub"), "");
    expect(() => createReleaseKey(place("other.sec"))).toThrow("other.pub exists");
    expect(existsSync(place("other.sec"))).toBe(false);
  });

  test("is refused if others can read it, or if it is damaged", () => {
    writeFileSync(place("open"), readFileSync(SECRET), { mode: 0o600 });
    chmodSync(place("open"), 0o640);
    expect(() => readReleaseKey(place("open"))).toThrow(`chmod 600 ${place("open")}`);
    const [comment, line = "", ...rest] = readFileSync(SECRET, "utf8").split("\n");
    const damaged = Buffer.from(line, "base64");
    damaged[50] = (damaged[50] as number) ^ 1;
    writeFileSync(place("damaged"), [comment, damaged.toString("base64"), ...rest].join("\n"), { mode: 0o600 });
    expect(() => readReleaseKey(place("damaged"))).toThrow("is no private key");
    expect(() => readReleaseKey(place("release.pub"))).toThrow();
  });
});

describe("signatures", () => {
  test("verify with the public key and fail for any other byte", () => {
    const [, line = "", trusted = "", global = ""] = (signed()["SHA256SUMS.minisig"] ?? "").split("\n");
    const bytes = Buffer.from(line, "base64");
    const { number, publicKey } = ed25519Of(publicText(key));
    expect(bytes.subarray(0, 2).toString()).toBe("Ed");
    expect(bytes.subarray(2, 10)).toEqual(number);
    const signature = bytes.subarray(10);
    expect(verify(null, FILE.bytes, publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.concat([FILE.bytes, Buffer.from("\n")]), publicKey, signature)).toBe(false);
    const comment = trusted.replace("trusted comment: ", "");
    expect(comment).toBe("timestamp:1767323045\tfile:SHA256SUMS");
    const covered = Buffer.concat([signature, Buffer.from(comment)]);
    expect(verify(null, covered, publicKey, Buffer.from(global, "base64"))).toBe(true);
  });

  test("have two lines for signify and usign, which reject more", () => {
    const files = signed();
    expect(files["SHA256SUMS.sig"]).toMatch(/^untrusted comment: .+\n[A-Za-z0-9+/]{99}=\n$/);
    expect(files["SHA256SUMS.minisig"]).toStartWith(files["SHA256SUMS.sig"] ?? "?");
  });

  test.skipIf(Bun.which("signify-openbsd") === null)("can be made by signify with the same key", () => {
    signed();
    const command = ["signify-openbsd", "-S", "-s", "release.sec", "-x", "own.sig", "-m", "SHA256SUMS"];
    expect(Bun.spawnSync(command, { cwd: folder, stdin: "ignore" }).exitCode).toBe(0);
    const line = (name: string) => readFileSync(place(name), "utf8").split("\n")[1];
    expect(line("own.sig")).toBe(line("SHA256SUMS.sig"));
  });

  const TOOLS: readonly (readonly [tool: string, ...args: string[]])[] = [
    ["minisign", "-V", "-p", "release.pub", "-m", "SHA256SUMS"],
    ["signify-openbsd", "-V", "-p", "release.pub", "-x", "SHA256SUMS.sig", "-m", "SHA256SUMS"],
  ];
  for (const [tool, ...args] of TOOLS) {
    test.skipIf(Bun.which(tool) === null)(`are accepted by ${tool}, and a changed file is not`, () => {
      signed();
      const accepts = () => Bun.spawnSync([tool, ...args], { cwd: folder, stdin: "ignore" }).exitCode === 0;
      expect(accepts()).toBe(true);
      writeFileSync(place("SHA256SUMS"), "ffff  netcombiner.deb\n");
      expect(accepts()).toBe(false);
    });
  }
});
