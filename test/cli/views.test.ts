// The views of running tunnels as commands, against control sockets that answer as tunnels would.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { renderDump } from "../../src/cli/dump.ts";
import { EXIT } from "../../src/errors.ts";
import { jsonReport } from "../../src/monitor/health.ts";
import { renderMetrics } from "../../src/monitor/metrics.ts";
import { FakeTunnel } from "../support/fake-tunnel.ts";
import { REPORT } from "../support/report.ts";

describe("netcombiner show", () => {
  test("shows all tunnels, one, their names, or what a script asks for", async () => {
    await using tunnel = await FakeTunnel.open({}, ["nc0", "nc1"]);
    const [all, one, names, dump, rtt, json] = await Promise.all([
      tunnel.run(),
      tunnel.run("show", "nc1"),
      tunnel.run("show", "interfaces"),
      tunnel.run("show", "nc0", "dump"),
      tunnel.run("show", "all", "rtt"),
      tunnel.run("show", "nc0", "--json"),
    ]);
    expect([...all.out.matchAll(/^interface: (\w+)$/gm)].map(([, name]) => name)).toEqual(["nc0", "nc1"]);
    expect(one.out).toStartWith("interface: nc1\n");
    expect(one.out).toContain("# Health check:\n");
    expect(names.out).toBe("nc0 nc1\n");
    expect(dump.out).toBe(`${renderDump(REPORT)}\n`);
    expect(rtt.out).toBe("nc0\tfibre\t12100\t11800\nnc1\tfibre\t12100\t11800\n");
    expect(JSON.parse(json.out)).toEqual(structuredClone(jsonReport(REPORT)));
  });
});

describe("netcombiner metrics", () => {
  test("prints them, and replaces a file by them", async () => {
    await using tunnel = await FakeTunnel.open();
    const file = join(tunnel.folder, "nc.prom");
    const [printed, written] = await Promise.all([
      tunnel.run("metrics", "print"),
      tunnel.run("metrics", "write", file),
    ]);
    expect(printed).toEqual({ code: EXIT.OK, out: renderMetrics([REPORT]), err: "" });
    expect(written).toEqual({ code: EXIT.OK, out: "", err: "" });
    expect(readFileSync(file, "utf8")).toBe(printed.out);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(tunnel.folder).sort()).toEqual(["nc.prom", "nc0.sock"]);
  });
});
