import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

const tools = ["unshare", "ip"].every((tool) => Bun.which(tool) !== null);
const canRun = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun") && tools;

describe.skipIf(!canRun)("The interface of a tunnel", () => {
  // A host, and a router whose interfaces accept router advertisements nevertheless.
  test.each(
    ["1", "2"].flatMap((accepts) => [
      [accepts, "10.9.8.1/24"],
      [accepts, "fd00:9::1/64"],
    ]),
  )(
    "takes no route and no address from a router advertisement (accept_ra %s, %s)",
    async (accepts, address) => {
      const script = join(import.meta.dir, "neighbour-process.ts");
      const command = ["unshare", "-n", process.execPath, script, accepts as string, address as string];
      const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
      expect(JSON.parse(await child.stdout.text())).toEqual({
        defaultRoute: "",
        hasAutoconfigured: false,
        hasLinkLocal: false,
      });
    },
    30_000,
  );
});
