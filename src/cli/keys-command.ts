/** Implements `netcombiner genkey`, `genpsk` and `pubkey`: keys on standard input and output, in the format of `wg`. */
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import { generateKey, publicKeyOf } from "../pairing/keys.ts";

export const genkeyCommand = defineCommand({
  meta: { name: "netcombiner genkey", description: "Print a new private key for PrivateKey" },
  args: {},
  run() {
    console.log(generateKey("private"));
  },
});

export const genpskCommand = defineCommand({
  meta: { name: "netcombiner genpsk", description: "Print a new random key for SharedKey" },
  args: {},
  run() {
    console.log(generateKey("shared"));
  },
});

export const pubkeyCommand = defineCommand({
  meta: { name: "netcombiner pubkey", description: "Read a private key and print its public key for PublicKey" },
  args: {},
  async run() {
    const publicKey = publicKeyOf((await Bun.stdin.text()).trim());
    if (publicKey !== undefined) return console.log(publicKey);
    throw new NetcombinerError('standard input: expected a private key, as "netcombiner genkey" prints', EXIT.DATA);
  },
});
