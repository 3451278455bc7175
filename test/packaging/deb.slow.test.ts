// The Debian package on a real Debian with a real systemd: installed, configured, run, upgraded, removed and purged.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../../build/compile.ts";
import { debianPackage } from "../../build/packages/deb.ts";
import { ROOT } from "../rules/sources.ts";
import { CHILD_SECONDS } from "../support/limits.ts";
import { canBootDebian, DebianSystem } from "./debian-system.ts";
import { INPUT } from "./stand-in.ts";

const CONFIGURATION = `[Host]
SharedKey = VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=
Address = 10.47.25.2/24
Role = local
LanInterface = lan0
[Peer]
Name = fibre
RemoteHost = 192.0.2.1
`;
const CONFIGURATION_FILE = "/etc/netcombiner/nc0.conf";

/** For a Debian to be installed and booted and two programs to be compiled, in milliseconds: a minute on an idle machine. */
const SETUP_MILLIS = 900_000;

/** CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW (linux/capability.h). */
const CAPABILITIES = (1 << 10) | (1 << 12) | (1 << 13);

describe.skipIf(!canBootDebian())("netcombiner on Debian", () => {
  let system: DebianSystem;
  const versions = ["0.9.0", "0.9.1"];

  function packageOf(version: string): Uint8Array {
    const folder = mkdtempSync(join(tmpdir(), "nc-deb-"));
    try {
      const outfile = join(folder, "netcombiner");
      compile({ entry: join(ROOT, "src", "main.ts"), outfile, version: { version, commit: "" } });
      const input = { ...INPUT, version, binary: readFileSync(outfile) };
      return debianPackage({ ...input, architecture: "amd64" }).bytes;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  beforeAll(async () => {
    system = await DebianSystem.boot();
    for (const version of versions) system.write(`/root/${version}.deb`, packageOf(version), 0o644);
  }, SETUP_MILLIS);

  afterAll(() => system?.[Symbol.asyncDispose]());

  /** Output of a script that must succeed. */
  function run(script: string): string {
    const { exitCode, output } = system.run(script);
    if (exitCode !== 0) {
      const journal = system.run("journalctl --no-pager -n 40 -o cat").output;
      throw new Error(`${script}: exit code ${exitCode}\n${output}\njournal:\n${journal}`);
    }
    return output.trim();
  }

  const property = (name: string) => run(`systemctl show netcombiner@nc0 --property ${name} --value`);
  /** Waits until the tunnel runs in another process than `from`. */
  const awaitRestart = (from: string) =>
    run(`timeout ${CHILD_SECONDS} sh -c 'until systemctl is-active -q netcombiner@nc0 &&
      pid=$(systemctl show netcombiner@nc0 --property MainPID --value) && [ $pid != 0 ] && [ $pid != ${from} ]
    do sleep 0.05; done'`);

  test("installs, and starts nothing", () => {
    run(`dpkg -i /root/${versions[0]}.deb`);
    expect(run("netcombiner version")).toContain("0.9.0");
    expect(run("systemctl list-units --all --plain --no-legend 'netcombiner@*'; ls /sys/class/net")).toBe("lo");
    expect(run("stat -c '%a %U' /etc/netcombiner")).toBe("700 root");
    expect(run("dpkg --verify netcombiner")).toBe("");
  });

  test("refuses to start what is not configured, and does not try for ever", () => {
    const { exitCode, output } = system.run("systemctl start netcombiner@nc0");
    expect(exitCode).not.toBe(0);
    expect(output).toContain("Assertion failed");
    expect(property("ActiveState")).toBe("inactive");
  });

  test("runs once it is configured, with no link up", () => {
    system.write(CONFIGURATION_FILE, new TextEncoder().encode(CONFIGURATION), 0o600);
    run("ip link add lan0 type veth peer name lan1 && ip address add 192.168.7.1/24 dev lan0 && ip link set lan0 up");
    run("netcombiner check nc0 && systemctl enable --now netcombiner@nc0");
    expect(property("StatusText")).toBe("nc0 is up with 1 link");
    expect(run("ip -br -4 address show nc0")).toContain("10.47.25.2/24");
    expect(run("ls /etc/systemd/system/*.wants/netcombiner@*")).toContain("netcombiner@nc0.service");
    expect(run("journalctl --no-pager -o cat -u netcombiner@nc0")).toContain("nc0 is up with 1 link");
  });

  test("sets up the system as the configuration says, from within its bounds", () => {
    expect(run("sysctl -n net.ipv4.ip_forward")).toBe("1");
    expect(run("nft list tables")).toContain("netcombiner");
    // The kernel has three of its own.
    expect(Number(run("ip rule list | wc -l"))).toBeGreaterThan(3);
  });

  test("has no more than it needs", () => {
    const status = run(`cat /proc/${property("MainPID")}/status`);
    expect(Number(`0x${status.match(/^CapEff:\t(\w+)$/m)?.[1]}`)).toBe(CAPABILITIES);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    // Compiled code needs pages that are written and run.
    expect(run(`grep -c rwxp /proc/${property("MainPID")}/maps`)).not.toBe("0");
  });

  test("reloads, and keeps what it had when the file is wrong", () => {
    run(`printf '[Peer]\\nName = lte\\nRemoteHost = 192.0.2.3\\n' >>${CONFIGURATION_FILE}`);
    run("systemctl reload netcombiner@nc0");
    expect(run("netcombiner show nc0")).toContain("link: lte");
    run(`cp -p ${CONFIGURATION_FILE} /root/good && echo 'Nonsense = 1' >>${CONFIGURATION_FILE}`);
    expect(system.run("systemctl reload netcombiner@nc0").exitCode).not.toBe(0);
    expect(property("ActiveState")).toBe("active");
    run(`cp -p /root/good ${CONFIGURATION_FILE} && systemctl reload netcombiner@nc0`);
  });

  test("comes back however often it is killed", () => {
    run(`mkdir -p /run/systemd/system/netcombiner@.service.d
      printf '[Service]\\nRestartSec=10ms\\n' >/run/systemd/system/netcombiner@.service.d/fast.conf
      systemctl daemon-reload`);
    for (let i = 0; i < 7; i++) {
      const pid = property("MainPID");
      run(`kill -KILL ${pid}`);
      awaitRestart(pid);
    }
    expect(Number(property("NRestarts"))).toBeGreaterThanOrEqual(7);
    const pid = property("MainPID");
    run("ip link delete nc0");
    awaitRestart(pid);
  });

  test("upgrades, with its configuration as it was, and runs the new version", () => {
    const pid = property("MainPID");
    run(`dpkg -i /root/${versions[1]}.deb`);
    expect(run(`cmp ${CONFIGURATION_FILE} /root/good; stat -c %a ${CONFIGURATION_FILE}`)).toBe("600");
    awaitRestart(pid);
    expect(JSON.parse(run("netcombiner show nc0 --json"))).toMatchObject({ version: "0.9.1" });
  });

  test("is removed with everything that runs, but for the configuration", () => {
    run("dpkg -r netcombiner");
    expect(run("ls /sys/class/net")).toBe("lan0\nlan1\nlo");
    expect(run("nft list ruleset; ip rule list | wc -l; sysctl -n net.ipv4.ip_forward")).toBe("3\n0");
    expect(run("systemctl list-units --plain --no-legend 'netcombiner@*'")).toBe("");
    expect(
      run("find / -xdev \\( -path /root -o -path /var/lib/dpkg \\) -prune -o -name '*netcombiner*' -print | sort"),
    ).toBe(["/etc/netcombiner", "/etc/systemd/system/multi-user.target.wants/netcombiner@nc0.service"].join("\n"));
  });

  test("leaves keys and configurations when it is purged, and says so", () => {
    expect(run("dpkg -P netcombiner")).toContain("configurations and keys are left in /etc/netcombiner");
    expect(run("find / -xdev \\( -path /root -o -path /var/lib/dpkg \\) -prune -o -name '*netcombiner*' -print")).toBe(
      "/etc/netcombiner",
    );
    expect(run(`cmp ${CONFIGURATION_FILE} /root/good`)).toBe("");
  });
});
