// A running tunnel with keys, and every place where one of them could show. In a network and process namespace of its own.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting } from "../support/bytes.ts";
import { CHILD_SECONDS, TEST_MILLIS } from "../support/limits.ts";

setDefaultTimeout(TEST_MILLIS);

const MAIN = join(import.meta.dir, "../../src/main.ts");
const hasTools = ["timeout", "unshare", "ip", "sh"].every((tool) => Bun.which(tool) !== null);
const canRun = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun") && hasTools;

const [OWN, PEER, SHARED] = [7, 90, 180].map((first) => counting(32, first)) as [Uint8Array, Uint8Array, Uint8Array];
const publicOf = (key: Uint8Array) => new KeyPair(key).publicKey.toBase64();

/** Each secret in the forms in which it might be printed. */
const FORMS = [OWN, PEER, SHARED].flatMap((key) => [
  key.toBase64(),
  key.toBase64({ alphabet: "base64url", omitPadding: true }),
  key.toHex(),
  [...key].join(","),
]);

const configuration = (own: Uint8Array, peer: Uint8Array, link: string) => `[Host]
PrivateKey = ${own.toBase64()}
SharedKey = ${SHARED.toBase64()}
LogLevel = debug
[Peer]
PublicKey = ${publicOf(peer)}
${link}
`;

/** Two portals in one namespace that find each other over loopback; then all that is to be seen of the first one. */
const SCRIPT = `
  ip link set lo up
  $NC run nc1 -c $D/remote.conf 2> $D/remote.log &
  $NC nc0 -c $D/local.conf; echo started $?
  pid=$($NC show nc0 --json | grep '"pid"' | tr -dc 0-9)
  until $NC show nc0 | grep -q 'keys: '; do :; done
  cat /proc/$pid/cmdline /proc/$pid/environ | tr '\\0' '\\n'
  $NC show; $NC show --json; $NC show nc0 dump; $NC bugreport nc0 -c $D/local.conf 2>&1
  sed -i s/Key/Kye/ $D/local.conf; $NC reload nc0 2>&1; $NC check nc0 -c $D/local.conf 2>&1
  $NC down nc0; cat $D/remote.log
`;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-secrets-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!canRun)("The keys of a running tunnel", () => {
  test("are shown nowhere", () => {
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });
    write("remote.conf", configuration(PEER, OWN, ""));
    write("local.conf", configuration(OWN, PEER, "RemoteHost = 127.0.0.1"));
    // Bounded from outside as well, should this process be killed; unshare ignores the gentler signals while it waits.
    const bounded = ["timeout", "-s", "KILL", CHILD_SECONDS];
    const apart = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const { stdout, stderr } = Bun.spawnSync([...bounded, ...apart, "sh", "-c", SCRIPT], {
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        NETCOMBINER_RUN_DIR: join(folder, "run"),
        NC: `${process.execPath} ${MAIN}`,
        D: folder,
      },
      stdin: "ignore",
    });
    const seen = stdout.toString() + stderr.toString();
    for (const part of ["started 0", publicOf(OWN), publicOf(PEER), '"suite"', "PrivateKye unknown", "up: 127.0.0.1"]) {
      expect(seen).toContain(part);
    }
    for (const form of FORMS) expect(seen).not.toContain(form);
  });
});
