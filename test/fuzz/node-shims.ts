/** Gives Node the few things that the targets have from Bun; imported before anything that uses them. */
import { isDeepStrictEqual } from "node:util";

type Shimmed = { Bun?: { deepEquals(a: unknown, b: unknown): boolean } };

const shared = globalThis as unknown as Shimmed;
shared.Bun ??= { deepEquals: isDeepStrictEqual };

function define(target: object, name: string, value: unknown): void {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

define(Uint8Array.prototype, "toHex", function (this: Uint8Array) {
  return Buffer.from(this).toString("hex");
});
define(Uint8Array.prototype, "toBase64", function (this: Uint8Array) {
  return Buffer.from(this).toString("base64");
});
define(Uint8Array, "fromHex", (text: string) => Uint8Array.from(Buffer.from(text, "hex")));
define(Uint8Array, "fromBase64", (text: string) => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new SyntaxError("not base64");
  return Uint8Array.from(Buffer.from(text, "base64"));
});
