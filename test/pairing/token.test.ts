import { describe, expect, test } from "bun:test";
import { formatAddress, parseEndpoint } from "../../src/endpoint.ts";
import { EXIT, NetcombinerError } from "../../src/errors.ts";
import { decodeToken, encodeToken, localAddress, type Pairing } from "../../src/pairing/token.ts";
import { SeededRandom } from "../support/random.ts";

const address = (text: string, prefix: number) => {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new Error(text);
  return { address: endpoint, prefix };
};

const PAIRING: Pairing = {
  publicKey: Uint8Array.from({ length: 32 }, (_, i) => 255 - i),
  secret: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
  expires: 1_795_000_000,
  port: 4725,
  mtu: 1380,
  addresses: [address("10.47.25.1", 24), address("fd47:25::1", 64)],
  hosts: ["203.0.113.7", "vps.example.net", "2001:db8::7"],
};
const TOKEN = encodeToken(PAIRING);

function refusal(text: string): string {
  try {
    decodeToken(text);
  } catch (error) {
    if (!(error instanceof NetcombinerError)) throw error;
    expect(error.exitCode).toBe(EXIT.DATA);
    return error.message;
  }
  return "";
}

describe("A token", () => {
  test("says what was put into it", () => {
    expect(decodeToken(TOKEN)).toEqual(PAIRING);
    const late = { ...PAIRING, expires: 0xffff_ffff };
    expect(decodeToken(encodeToken(late))).toEqual(late);
    const least = { ...PAIRING, addresses: [], mtu: 0, port: 65_535, hosts: ["a"] };
    expect(decodeToken(encodeToken(least))).toEqual(least);
  });

  test("is one short line of characters that every terminal and mail keeps", () => {
    expect(TOKEN).toMatch(/^nc1-[A-Za-z0-9_-]+$/);
    const usual = { ...PAIRING, hosts: ["203.0.113.7", "2001:db8:1:2::7"] };
    expect(encodeToken(usual).length).toBeLessThan(170);
  });

  test("is the same with white space around and inside, as a wrapped line has it", () => {
    expect(decodeToken(`  ${TOKEN.slice(0, 40)}\r\n  ${TOKEN.slice(40)}\n`)).toEqual(PAIRING);
  });

  test("is refused with any character changed, missing or added", () => {
    for (let i = 4; i < TOKEN.length; i++) {
      const other = TOKEN[i] === "A" ? "B" : "A";
      for (const wrong of [other, "", `${TOKEN[i]}${other}`]) {
        expect(refusal(TOKEN.slice(0, i) + wrong + TOKEN.slice(i + 1))).toContain("copy the whole line");
      }
    }
    for (let length = 4; length < TOKEN.length; length++) expect(refusal(TOKEN.slice(0, length))).not.toBe("");
  });

  test("is refused when it is something else, without being shown", () => {
    expect(refusal("")).toContain('begins with "nc1-"');
    expect(refusal("VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=")).not.toContain("VGhp");
    expect(refusal(TOKEN.replace("nc1-", "nc2-"))).toContain("version 2");
    expect(refusal(`nc1-${"A".repeat(10_000)}`)).toContain("copy the whole line");
  });

  test("is refused when what it says cannot be, whoever made it", () => {
    const wrong: Partial<Pairing>[] = [
      { hosts: [] },
      { hosts: ["a\nPostUp = reboot"] },
      { hosts: ["a b"] },
      { hosts: Array.from({ length: 9 }, () => "a") },
      { port: 0 },
      { addresses: [address("10.0.0.1", 33)] },
      { secret: new Uint8Array(15) },
      { publicKey: new Uint8Array(33) },
      // A key of low order: the local portal would agree on a secret that everybody knows.
      { publicKey: new Uint8Array(32) },
    ];
    for (const change of wrong) expect(refusal(encodeToken({ ...PAIRING, ...change }))).toContain("are malformed");
  });

  test("of random bytes never breaks anything", () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 2_000; i++) {
      const bytes = new Uint8Array(random.below(200));
      random.bytes(bytes);
      expect(refusal(`nc1-${Buffer.from(bytes).toString("base64url")}`)).not.toBe("");
    }
  });

  test("gives the local portal the next address", () => {
    const next = (text: string) => formatAddress(localAddress(address(text, 24)).address);
    expect(["10.0.0.1", "10.0.0.255", "fd00::1", "fd00::ffff"].map(next)).toEqual([
      "10.0.0.2",
      "10.0.1.0",
      "fd00::2",
      "fd00::1:0",
    ]);
    expect(formatAddress(PAIRING.addresses[0]?.address as never)).toBe("10.47.25.1");
  });
});
