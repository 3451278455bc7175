// The commands with a real TUN: each script runs in a network and process namespace of its own, which ends with it.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "../../src/errors.ts";
import { CHILD_SECONDS, TEST_MILLIS } from "../support/limits.ts";

setDefaultTimeout(TEST_MILLIS);

const MAIN = join(import.meta.dir, "../../src/main.ts");
const hasTools = ["timeout", "unshare", "ip", "sh"].every((tool) => Bun.which(tool) !== null);
const canRun = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun") && hasTools;

const CONFIGURATION = `[Host]
SharedKey = VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=
Address = 10.47.25.2/24, fd47:25::2/64
MTU = 1380
[Peer]
Name = fibre
RemoteHost = 192.0.2.1
LocalInterface = wan0
[Peer]
Name = server
`;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-tunnel-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Output of `script`, line by line; `$NC` is the program, `$C` a good configuration, `$L` a file for its log. */
function run(script: string, environment: Record<string, string> = {}): string[] {
  const configuration = join(folder, "nc0.conf");
  writeFileSync(configuration, CONFIGURATION, { mode: 0o600 });
  const prelude = "ip link set lo up\n";
  // Bounded from outside as well, should this process be killed; unshare ignores the gentler signals while it waits.
  const bounded = ["timeout", "-s", "KILL", CHILD_SECONDS];
  const apart = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const command = [...bounded, ...apart, "sh", "-c", prelude + script];
  const result = Bun.spawnSync(command, {
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      NETCOMBINER_RUN_DIR: join(folder, "run"),
      NC: `${process.execPath} ${MAIN}`,
      C: configuration,
      L: join(folder, "log"),
      SECRET: "not for the daemon",
      ...environment,
    },
    stdin: "ignore",
    stderr: "inherit",
  });
  return result.stdout.toString().trimEnd().split("\n");
}

const log = () => Bun.file(join(folder, "log")).text();

describe.skipIf(!canRun)("A tunnel", () => {
  test("is there when the command returns, and stays without it", () => {
    const lines = run(`
      $NC nc0 -c $C; echo started $?
      ip -o addr show nc0 | awk '{print $4}'
      ip -o link show nc0 | grep -o 'mtu [0-9]*'
      pid=$($NC show nc0 --json | grep '"pid"' | tr -dc 0-9)
      echo cwd $(readlink /proc/$pid/cwd)
      echo parent $(awk '{print $4}' /proc/$pid/stat)
      echo session $([ $(awk '{print $6}' /proc/$pid/stat) = $pid ] && echo own)
      echo environment $(tr '\\0' '\\n' < /proc/$pid/environ | cut -d= -f1 | sort)
      echo tun $(readlink /proc/$pid/fd/3)
      echo ready $(readlink /proc/$pid/fd/4 | cut -d: -f1)
      $NC nc0 -c $C 2>&1 | sed "s/$pid/PID/"
      $NC show nc0 | head -n 1
      $NC down nc0; echo down $?
      ip link show nc0 >/dev/null 2>&1; echo gone $?
      $NC show
    `);
    expect(lines.filter((line) => !line.startsWith("fe80") && !line.startsWith("ready"))).toEqual([
      "started 0",
      "10.47.25.2/24",
      "fd47:25::2/64",
      "mtu 1380",
      "cwd /",
      "parent 1",
      "session own",
      "environment NETCOMBINER_READY_FD NETCOMBINER_RUN_DIR NETCOMBINER_STAGE NETCOMBINER_TUN_FD PATH",
      "tun /dev/net/tun",
      "netcombiner: nc0 is already running, pid PID",
      "interface: nc0",
      "down 0",
      "gone 1",
      "no tunnel is running",
    ]);
    // The pipe to the first process is closed; something else may have its number.
    expect(lines.find((line) => line.startsWith("ready"))).not.toContain("pipe");
  });

  test("does not start without saying why", () => {
    const lines = run("$NC nc0 -c $C 2>&1; echo ended $?; ip link show nc0 >/dev/null 2>&1; echo gone $?", {
      NETCOMBINER_RUN_DIR: "/proc/nowhere",
    });
    expect(lines[0]).toStartWith("netcombiner: cannot make the folder /proc/nowhere: ");
    expect(lines.slice(1)).toEqual([`ended ${EXIT.CANT_CREATE}`, "gone 1"]);
  });

  test("does not start on an interface that somebody else has", () => {
    const lines = run(
      "ip link add nc0 type veth peer name nc1; $NC nc0 -c $C 2>/dev/null; echo ended $?; ip -o link show nc0 | wc -l",
    );
    expect(lines[0]).not.toBe("ended 0");
    expect(lines[1]).toBe("1");
  });

  const inForeground = (then: string) => `
    $NC run nc0 -c $C 2>$L & pid=$!
    until $NC show nc0 >/dev/null 2>&1; do :; done
    ${then}
    wait $pid; echo ended $?
    ip link show nc0 >/dev/null 2>&1; echo gone $?
    ls $NETCOMBINER_RUN_DIR | wc -l`;

  test.each(["TERM", "INT"])("in the foreground ends with SIG%s and leaves nothing", async (signal) => {
    expect(run(inForeground(`kill -${signal} $pid`))).toEqual(["ended 0", "gone 1", "0"]);
    expect(await log()).toContain(`nc0 info: ending: SIG${signal}`);
  });

  test("ends with its interface", async () => {
    expect(run(inForeground("ip link del nc0"))).toEqual(["ended 0", "gone 1", "0"]);
    expect(await log()).toContain("the interface is gone, so is the tunnel");
  });

  test("reloads with SIGHUP, and keeps what it had when the file is wrong", async () => {
    const lines = run(
      inForeground(`
        printf '[Peer]\\nName = third\\nRemoteHost = 192.0.2.3\\n' >> $C
        kill -HUP $pid
        until $NC show nc0 | grep -q third; do :; done
        $NC show nc0 | grep ^link
        echo 'Nonsense = 1' >> $C
        kill -HUP $pid
        until grep -q 'not reloaded' $L; do :; done
        $NC reload nc0 2>&1 | sed 's/.*nc0.conf:/:/'
        $NC show nc0 | grep -c ^link
        kill $pid`),
    );
    expect(lines).toEqual([
      "link: fibre  (UDP, initiates)",
      "link: server  (UDP, listens)",
      "link: third  (UDP, initiates)",
      ":14: Peer[2].Nonsense unknown: expected one of Name, PublicKey, Method, LocalHost, LocalInterface, LocalPort, RemoteHost, RemotePort, Protocol, Metric, Congestion, Metered, LimitOut, LimitIn, KeepAlive, Timeout, RetryWait, PublicAddress, MTU",
      "3",
      "ended 0",
      "gone 1",
      "0",
    ]);
    expect(await log()).toContain("reloaded: links kept 2, added 1, removed 0");
  });
});
