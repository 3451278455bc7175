/** `netcombiner genkey`: a new shared key on standard output, in the form `wg genkey` has. */
import { defineCommand } from "citty";

const KEY_SIZE = 32;

export const genkeyCommand = defineCommand({
  meta: { name: "netcombiner genkey", description: "Print a new random key for SharedKey" },
  args: {},
  run() {
    console.log(crypto.getRandomValues(Buffer.alloc(KEY_SIZE)).toString("base64"));
  },
});
