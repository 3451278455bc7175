import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkIntegrity } from "../../build/runtimes.ts";
import { TARGETS } from "../../build/targets.ts";
import { ROOT } from "../rules/sources.ts";

describe("checkIntegrity", () => {
  const bytes = new TextEncoder().encode("abc");
  // FIPS 180-2, appendix C.1: SHA-512 of "abc".
  const digest = Buffer.from(
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "hex",
  ).toString("base64");

  test("accepts the bytes of the hash and no others", () => {
    expect(() => checkIntegrity(bytes, `sha512-${digest}`, "abc")).not.toThrow();
    expect(() => checkIntegrity(bytes.subarray(1), `sha512-${digest}`, "abc")).toThrow("package-lock.json says");
  });

  test("refuses weaker hashes", () => {
    expect(() => checkIntegrity(bytes, "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "abc")).toThrow("not a sha512");
  });
});

test("the lock file holds the runtime of every target in the version of bun", () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const { version } = packages["node_modules/bun"];
  const found = TARGETS.map((target) => packages[`node_modules/${target.runtimePackage}`]?.version);
  expect(found).toEqual(TARGETS.map(() => version));
});
