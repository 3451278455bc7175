import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import { findInMemory } from "./process-memory.ts";

interface Told {
  readonly secrets: readonly { readonly kind: string; readonly inverted: string }[];
  readonly epochs: number;
}

/** Runs the process and returns its secrets by kind, those of which some memory is left marked. */
async function survivors(library: string, suite: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "erasure-process.ts"), library, suite], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lines()).getReader().read();
  const { secrets, epochs } = JSON.parse(value as string) as Told;
  const plain = secrets.map(({ inverted }) => Uint8Array.fromHex(inverted).map((byte) => ~byte));
  const found = findInMemory(child.pid, plain);
  child.stdin.end();
  await child.exited;
  return { epochs, secrets: secrets.map(({ kind, inverted }, i) => ({ kind, inverted, isLeft: found.has(i) })) };
}

function lines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) controller.enqueue(part);
    },
  });
}

const cases = [
  ...(openLibcrypto() ? [["libcrypto", "aes-256-gcm"] as const, ["libcrypto", "chacha20-poly1305"] as const] : []),
  // ChaCha20 in JavaScript, for systems without libcrypto, copies its key for every datagram: docs/security.md says so.
  ["runtime", "aes-256-gcm"] as const,
];

describe.skipIf(process.platform !== "linux")("After keys were changed many times", () => {
  test.each(cases)(
    "no former secret is in the memory of a process with ciphers of %s and %s",
    async (library, suite) => {
      const { epochs, secrets } = await survivors(library, suite);
      expect(epochs).toBeGreaterThanOrEqual(9);
      const pathKeys = secrets.filter(({ kind }) => kind === "path");
      const present = new Set(pathKeys.slice(-4).map(({ inverted }) => inverted));
      // Long-lived private keys are those made before any other secret.
      const statics = new Set(secrets.slice(0, 2).map(({ inverted }) => inverted));
      const isFormer = ({ inverted }: { inverted: string }) => !present.has(inverted) && !statics.has(inverted);
      // What is in use is found: the search works.
      expect(secrets.filter((secret) => !isFormer(secret) && secret.isLeft).length).toBeGreaterThan(0);
      const left = secrets.filter((secret) => isFormer(secret) && secret.isLeft).map(({ kind }) => kind);
      expect(left).toEqual([]);
    },
  );
});
