import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

const tools = ["unshare", "ip", "ping"].every((tool) => Bun.which(tool) !== null);
const canRun = process.getuid?.() === 0 && existsSync("/dev/net/tun") && tools;
if (!canRun) console.warn("tuntap2: not run, needs root, /dev/net/tun, unshare, ip and ping");

test.skipIf(!canRun)(
  "tuntap2 sets what it says, carries packets both ways and leaves nothing behind",
  async () => {
    const script = join(import.meta.dir, "tuntap2-process.ts");
    const child = Bun.spawn(["unshare", "-n", process.execPath, script], { stdout: "pipe", stderr: "inherit" });
    try {
      const seen = JSON.parse(await child.stdout.text());
      expect(seen).toEqual({
        name: "tun0",
        mtu: 1400,
        isUp: true,
        ipv4: "10.77.0.1/24",
        ipv6: "fd77::1/64",
        kinds: [true, false, false, true],
        mac: "00:11:22:33:44:55",
        replaced: true,
        refused: [
          "incorrect IPv4 address: 10.0.0.1",
          "incorrect IPv6 address: 10.0.0.1/8",
          "the mac of a Tun cannot be set",
        ],
        pinged: 0,
        left: 1,
      });
      expect(await child.exited).toBe(0);
    } finally {
      child.kill();
    }
  },
  30_000,
);
