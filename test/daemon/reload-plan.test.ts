import { describe, expect, test } from "bun:test";
import type { Configuration } from "../../src/config/configuration.ts";
import { validateConfiguration } from "../../src/config/load.ts";
import { planReload, type ReloadPlan } from "../../src/daemon/reload-plan.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const OTHER_KEY = "VGhpcyBpcyBhIHNlY3JldCwgcmVwbGFjZSBtZSAhISE=";

function configuration(peers: string, host = `SharedKey = ${KEY}`): Configuration {
  const result = validateConfiguration({ text: `[Host]\n${host}\n${peers}`, mode: 0o600 }, "nc0.conf", () => ({
    problem: "none",
  }));
  expect(result.faults).toEqual([]);
  return result.configuration as Configuration;
}

const A = "[Peer]\nName = a\nRemoteHost = 192.0.2.1\n";
const B = "[Peer]\nName = b\nRemoteHost = 192.0.2.2\n";
const LISTENER = "[Peer]\n";

const ids = (plan: ReloadPlan) => ({
  kept: plan.kept.map((link) => link.settings.id),
  removed: plan.removed.map((link) => link.settings.id),
  added: plan.added.map((link) => link.settings.id),
});

describe("planReload", () => {
  test("changes nothing for the same file", () => {
    const plan = planReload(configuration(A + B + LISTENER), configuration(A + B + LISTENER));
    expect(ids(plan)).toEqual({ kept: [0, 1, 2], removed: [], added: [] });
    expect(plan.needsRestart).toEqual([]);
  });

  test("keeps links with their numbers when sections change places or spelling", () => {
    const spelt = "[peer]\nremotehost = 192.0.2.2 # the same\nname = b\nMetric = 0\nKeepAlive = 10000ms\n";
    const plan = planReload(configuration(A + B), configuration(spelt + A));
    expect(ids(plan)).toEqual({ kept: [1, 0], removed: [], added: [] });
    expect(plan.configuration.links.map((link) => [link.settings.id, link.settings.name])).toEqual([
      [1, "b"],
      [0, "a"],
    ]);
  });

  test("replaces a changed link by one with a new number", () => {
    const plan = planReload(configuration(A + B), configuration(`${A}${B}Metric = 5\n`));
    expect(ids(plan)).toEqual({ kept: [0], removed: [1], added: [2] });
    expect(plan.added[0]?.settings).toMatchObject({ name: "b", metric: 5 });
  });

  test("uses the numbers of links long gone again", () => {
    const first = planReload(configuration(A + B), configuration(B));
    expect(ids(first)).toEqual({ kept: [1], removed: [0], added: [] });
    const second = planReload(first.configuration, configuration(B + A));
    expect(ids(second)).toEqual({ kept: [1], removed: [], added: [0] });
  });

  test("lets a link keep the name that was made up for it when sections before it go", () => {
    const [x, y] = ["[Peer]\nRemoteHost = 192.0.2.1\n", "[Peer]\nRemoteHost = 192.0.2.2\n"];
    const plan = planReload(configuration(x + y), configuration(y));
    expect(plan.configuration.links.map((link) => link.settings.name)).toEqual(["udp1"]);
    const back = planReload(plan.configuration, configuration(x + y));
    expect(back.configuration.links.map((link) => link.settings.name)).toEqual(["udp0", "udp1"]);
    const third = planReload(plan.configuration, configuration(y + x));
    expect(third.configuration.links.map((link) => link.settings.name)).toEqual(["udp1", "udp2"]);
  });

  test("gives a made-up name up to the section that asks for it", () => {
    const plan = planReload(configuration(LISTENER), configuration(`${LISTENER}${A.replace("= a", "= udp0")}`));
    const names = plan.configuration.links.map((link) => link.settings.name);
    expect(names).toEqual(["udp1", "udp0"]);
  });

  test("tells two sections that are the same apart by their number", () => {
    const twin = "[Peer]\nRemoteHost = 192.0.2.1\n";
    const plan = planReload(configuration(twin + twin), configuration(twin));
    expect(ids(plan)).toEqual({ kept: [0], removed: [1], added: [] });
  });

  test("says which keys of the host need a restart and keeps their old values", () => {
    const current = configuration(LISTENER);
    const host = `SharedKey = ${OTHER_KEY}\nSecurity = none\nMTU = 1300\nAddress = 10.0.0.1/24\nLogLevel = debug`;
    const plan = planReload(current, configuration(LISTENER, host));
    expect(plan.needsRestart).toEqual(["Security", "SharedKey", "MTU", "Address"]);
    expect(plan.configuration.tunnel).toEqual(current.tunnel);
    expect(plan.configuration.addresses).toEqual([]);
    expect(plan.configuration.logLevel).toBe("debug");
    // The next reload compares with what runs, so it says so again.
    const again = planReload(plan.configuration, configuration(LISTENER, host));
    expect(again.needsRestart).toEqual(plan.needsRestart);
  });

  test("leaves what up did to the host as it is, and says what waits for a restart", () => {
    const host = `SharedKey = ${KEY}\nAddress = 10.47.0.1/24\n`;
    const current = configuration(LISTENER, host);
    const plan = planReload(current, configuration(LISTENER, `${host}Role = remote\nFwMark = 7\nPostUp = true\n`));
    expect(plan.needsRestart).toEqual(["Role", "FwMark", "PreUp, PostUp, PreDown or PostDown"]);
    expect(plan.configuration.system).toEqual(current.system);
    expect(ids(plan)).toEqual({ kept: [0], removed: [], added: [] });
  });
});
