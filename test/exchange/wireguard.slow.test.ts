// An independent implementation of the handshake: wireguard-go, whose messages are the same but for what goes around them.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CHILD_SECONDS, TEST_MILLIS } from "../support/limits.ts";

const hasTools = ["timeout", "unshare", "ip", "sh", "wg", "wireguard-go"].every((tool) => Bun.which(tool) !== null);
const canRun = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun") && hasTools;

test.skipIf(!canRun)(
  "wireguard-go takes our handshake and what is sealed with its keys",
  () => {
    const program = `${process.execPath} ${join(import.meta.dir, "wireguard-process.ts")}`;
    // Its control socket lies in a /var/run of its own.
    const script = `mount -t tmpfs none /var/run && ip link set lo up && exec ${program}`;
    const apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script];
    const { stdout } = Bun.spawnSync(["timeout", "-s", "KILL", CHILD_SECONDS, ...apart], {
      stdin: "ignore",
      stderr: "inherit",
    });
    // wireguard-go counts 148 bytes of initiation and 32 of the keepalive.
    expect(JSON.parse(stdout.toString())).toEqual({ type: 2, payload: 0, isDone: true, received: 180 });
  },
  TEST_MILLIS,
);
