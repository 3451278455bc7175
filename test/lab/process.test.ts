// A portal as a process: signals, commands, and an interface that is taken away.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { PLAN } from "./addresses.ts";
import { atMost, describeLab, during, line, measured } from "./lab.ts";
import { ping } from "./ping.ts";
import { usualPlans } from "./portals.ts";

/** Time to notice that the interface is gone and to put back what was set up; the poll tells at once. */
const END_MILLIS = 2_000;

const LINKS = [line(16e6), line(16e6)];

describeLab("a portal", { links: LINKS }, (lab) => {
  const { client: from, server: to } = PLAN[4];

  measured("ends when its interface is deleted", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    const began = performance.now();
    lab.topology.ip("local", ["link del nc0"]);
    await lab.portals.local.exited;
    atMost("until it ended, ms", performance.now() - began, END_MILLIS);
  });

  test("takes its interface and control socket along when it is terminated", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    const { local } = lab.portals;
    expect(await local.stop()).toBe(0);
    expect(() => lab.topology.ip("local", ["link show nc0"])).toThrow();
    expect(local.report()).rejects.toThrow();
  });

  test("keeps unchanged links running through a reload", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0]), 1);
    const { local } = lab.portals;
    const portOf = async () => (await local.snapshot()).links.find((link) => link.name === "wan0")?.paths[0]?.local;
    const port = await portOf();
    const [round] = await Promise.all([
      ping(lab.topology, "client", { from, to, count: 100 }),
      during([
        [
          500,
          async () => {
            lab.portals.rewrite("local", usualPlans([0, 1]).local);
            local.signal("SIGHUP");
            await local.untilUp(2);
            lab.portals.rewrite("local", usualPlans([0]).local);
            local.signal("SIGHUP");
            await local.until("one link again", (snapshot) => snapshot.links.length === 1);
          },
        ],
      ]),
    ]);
    expect(round.lost, round.text).toBe(0);
    expect(await portOf()).toBe(port);
  });

  test("keeps running when the new configuration has a fault", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    const { local } = lab.portals;
    lab.portals.rewrite("local", { peers: [{ RemoteHost: PLAN[4].remote, RemotePort: 74_523 }] });
    local.signal("SIGHUP");
    await local.until("told of the fault", () => local.log.join("\n").includes("RemotePort"));
    await local.untilUp(2);
  });

  test("has few rights in all its threads once it runs", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    const threads = threadsOf((await lab.portals.local.report()).pid);
    expect(threads.length).toBeGreaterThan(1);
    // CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW.
    const kept = "0000000000003400";
    const FILTERED = "2";
    const rights = { CapInh: "0000000000000000", CapPrm: kept, CapEff: kept, NoNewPrivs: "1", Seccomp: FILTERED };
    expect(threads).toEqual(threads.map(() => rights));
  });
});

/** Returns what the kernel says of the rights of each thread (proc_pid_status(5)). */
function threadsOf(pid: number) {
  const names = ["CapInh", "CapPrm", "CapEff", "NoNewPrivs", "Seccomp"];
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const status = readFileSync(`/proc/${pid}/task/${id}/status`, "utf8");
    return Object.fromEntries(names.map((name) => [name, new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1]]));
  });
}
