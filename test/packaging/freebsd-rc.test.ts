// FreeBSD's rc.d script, run by a shell with the functions that rc.subr would give it. daemon(8) and the program are scripts that
// note how they were called; a supervisor is a process that sleeps.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourceText } from "../../build/packages/contents.ts";

/** daemon(8): keeps the pid of a process that lives until it is told to end. */
const DAEMON = `#!/bin/sh
echo "daemon $*" >>LOG
while [ "$1" != -P ]; do shift; done
sleep 30 </dev/null >/dev/null 2>&1 &
echo $! >"$2"
echo 4711 >"$4"
`;

/** The program: "show" answers for tunnels that run, "check" finds fault with nc9. */
const PROGRAM = `#!/bin/sh
echo "$*" >>LOG
case "$1 $2" in
"check nc9") echo "nc9.conf:1: wrong" && exit 78 ;;
"show "*) [ -s "RUN/$2.supervisor.pid" ] || [ -e "RUN/$2.byhand" ] ;;
esac
`;

let folder = "";
const log = () =>
  existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n") : [];
const pidFile = (name: string) => join(folder, "run", `${name}.supervisor.pid`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nc-freebsd-"));
  mkdirSync(join(folder, "run"));
  const filled = (text: string) => text.replaceAll("LOG", join(folder, "log")).replaceAll("RUN", join(folder, "run"));
  writeFileSync(join(folder, "daemon"), filled(DAEMON), { mode: 0o755 });
  writeFileSync(join(folder, "netcombiner"), filled(PROGRAM), { mode: 0o755 });
  const script = sourceText("packaging/freebsd/netcombiner.rc")
    .replace(". /etc/rc.subr", `. ${join(import.meta.dir, "rc-subr.sh")}`)
    .replaceAll("/usr/sbin/daemon", join(folder, "daemon"))
    .replaceAll("/usr/local/bin/netcombiner", join(folder, "netcombiner"))
    .replaceAll("/var/run/netcombiner", join(folder, "run"));
  writeFileSync(join(folder, "rc"), script);
});

afterEach(() => {
  for (const name of ["nc0", "nc1"]) {
    if (existsSync(pidFile(name))) Bun.spawnSync(["kill", readFileSync(pidFile(name), "utf8").trim()]);
  }
  rmSync(folder, { recursive: true });
});

/** Runs `service netcombiner <words>` with this rc.conf. */
function service(words: string, conf: string) {
  writeFileSync(join(folder, "rc.conf"), conf);
  const result = Bun.spawnSync(["sh", "-u", join(folder, "rc"), ...words.split(" ")], {
    env: { PATH: "/usr/bin:/bin", CONF: join(folder, "rc.conf") },
    stdin: "ignore",
  });
  expect(result.stderr.toString()).toBe("");
  return { exitCode: result.exitCode, lines: result.stdout.toString().replaceAll(folder, "").trimEnd().split("\n") };
}

const TWO = 'netcombiner_enable="YES"\nnetcombiner_interfaces="nc0 nc1"\nnetcombiner_nc1_flags="-c /root/other.conf"\n';

describe("the rc.d script of FreeBSD", () => {
  test("starts nothing unless it is enabled", () => {
    expect(service("start", "").exitCode).toBe(1);
    expect(log()).toEqual([]);
  });

  test("says when no tunnel is named", () => {
    expect(service("start", "netcombiner_enable=YES").lines).toEqual([
      "WARNING: netcombiner_interfaces is empty: name the tunnels to run in rc.conf",
    ]);
  });

  test("starts each tunnel under a supervisor, with its flags and an environment of its own", () => {
    expect(service("start", TWO)).toEqual({
      exitCode: 0,
      lines: ["Starting netcombiner nc0.", "Starting netcombiner nc1."],
    });
    const run = join(folder, "run");
    const supervised = (name: string, flags: string) =>
      `daemon -c -f -r -R 5 -S -T netcombiner -P ${run}/${name}.supervisor.pid -p ${run}/${name}.pid /usr/bin/env -i ` +
      `PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin ${folder}/netcombiner run ${name} --up${flags}`;
    expect(log()).toEqual([
      "check nc0",
      supervised("nc0", ""),
      "show nc0",
      "check nc1 -c /root/other.conf",
      supervised("nc1", " -c /root/other.conf"),
      "show nc1",
    ]);
  });

  test("starts the others when one is wrong, and fails", () => {
    const { exitCode, lines } = service("start", 'netcombiner_enable="YES"\nnetcombiner_interfaces="nc9 nc0"\n');
    expect(lines).toEqual([
      "nc9.conf:1: wrong",
      "WARNING: nc9 is not started: correct its configuration",
      "Starting netcombiner nc0.",
    ]);
    expect(exitCode).toBe(1);
    expect(existsSync(pidFile("nc9"))).toBe(false);
  });

  test("takes one of them by its name", () => {
    expect(service("start nc1", TWO).lines).toEqual(["Starting netcombiner nc1."]);
    const status = service("status", TWO);
    expect(status.lines[0]).toBe("netcombiner nc0 is not running.");
    expect(status.lines[1]).toMatch(/^netcombiner nc1 is running as pid 4711, kept by pid \d+\.$/);
    expect(status.exitCode).toBe(1);
    expect(service("status nc1", TWO)).toMatchObject({ exitCode: 0 });
    expect(service("start nc1", TWO).lines[0]).toMatch(/^netcombiner nc1 already running\? \(pid=\d+\)\.$/);
  });

  test("ends the supervisor, which ends the tunnel", () => {
    service("start", TWO);
    expect(service("stop", TWO)).toEqual({
      exitCode: 0,
      lines: ["Stopping netcombiner nc0.", "Stopping netcombiner nc1."],
    });
    expect(service("status", TWO).lines.join()).not.toContain("kept by");
  });

  test("ends what was started by hand, in the program's own way", () => {
    writeFileSync(join(folder, "run", "nc0.byhand"), "");
    expect(service("status nc0", TWO).lines).toEqual(["netcombiner nc0 is running, started by hand."]);
    expect(service("stop nc0", TWO).exitCode).toBe(0);
    expect(log().at(-1)).toBe("down nc0");
  });

  test("reloads and checks each", () => {
    service("reload", TWO);
    service("check", TWO);
    expect(log()).toEqual(["reload nc0", "reload nc1", "check nc0", "check nc1 -c /root/other.conf"]);
  });

  test("knows a name that is no word of the shell", () => {
    service("start", 'netcombiner_enable="YES"\nnetcombiner_interfaces="a.b-c"\nnetcombiner_a_b_c_flags="-c x"\n');
    expect(log()[0]).toBe("check a.b-c -c x");
    Bun.spawnSync(["kill", readFileSync(pidFile("a.b-c"), "utf8").trim()]);
  });
});
