import { describe, expect, test } from "bun:test";
import { buildConfiguration } from "../../../src/config/configuration.ts";
import { tunnelCommands } from "../../../src/daemon/control/tunnel-commands.ts";
import type { Diagnosed, Query } from "../../../src/portal/query.ts";

const NOTHING: Diagnosed = { echoes: [], responder: undefined };

function setUp(answer: Partial<Diagnosed> = {}) {
  const asked: Query[] = [];
  const { links } = buildConfiguration({}, {}, [{ Name: "fibre" }, { Name: "lte" }]);
  const dataplane = {
    changeLink: () => undefined,
    ask: async (query: Query) => {
      asked.push(query);
      return { ...NOTHING, ...answer };
    },
  };
  const commands = tunnelCommands(() => ({ dataplane, links }));
  const run = async (name: string, parameters: Record<string, unknown>) => await commands[name]?.(parameters);
  return { asked, run };
}

describe("Commands that examine a running tunnel", () => {
  test("ping, and name the links of what comes back", async () => {
    const echo = { link: 1, path: "lte", remote: "192.0.2.1:4725", isBest: false, rtt: 7, seen: "" };
    const { asked, run } = setUp({ echoes: [echo, { ...echo, link: 9 }] });
    expect(await run("ping", { wait: 500 })).toEqual({
      ok: true,
      echoes: [
        { ...echo, link: "lte" },
        { ...echo, link: "" },
      ],
    });
    expect(asked).toEqual([{ kind: "ping", wait: 500_000 }]);
  });

  test("open a speed test with a secret of its own each time", async () => {
    const { asked, run } = setUp({ responder: { port: 4726, addresses: ["10.0.0.1"] } });
    const answers = [await run("speedtest", { seconds: 20 }), await run("speedtest", { seconds: 20 })];
    const secrets = asked.map((query) => (query.kind === "responder" ? query.secret.toHex() : ""));
    expect(answers).toEqual(secrets.map((secret) => ({ ok: true, port: 4726, addresses: ["10.0.0.1"], secret })));
    expect(secrets[0]).not.toBe(secrets[1]);
    expect(secrets[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test("say why there is no speed test", async () => {
    expect(await setUp().run("speedtest", { seconds: 20 })).toMatchObject({ ok: false });
    const nowhere = setUp({ responder: { port: 0, addresses: [] } });
    expect(await nowhere.run("speedtest", { seconds: 20 })).toMatchObject({
      ok: false,
      error: expect.stringContaining("its end of the tunnel has no address"),
    });
  });

  test("have one link alone, or all again", async () => {
    const { asked, run } = setUp();
    await run("alone", { link: "lte", seconds: 9 });
    await run("alone", {});
    expect(asked).toEqual([
      { kind: "alone", link: 1, seconds: 9 },
      { kind: "alone", link: undefined, seconds: 1 },
    ]);
    expect(run("alone", { link: "none" })).rejects.toThrow("no link none; there are fibre, lte");
  });

  test("refuse what is out of bounds, and everything while the tunnel does not run", async () => {
    const { asked, run } = setUp();
    const wrong: [string, Record<string, unknown>][] = [
      ["ping", { wait: 9 }],
      ["ping", { wait: 10_001 }],
      ["ping", { other: 1 }],
      ["speedtest", {}],
      ["speedtest", { seconds: 256 }],
      ["alone", { link: "lte", seconds: 61 }],
    ];
    for (const [name, parameters] of wrong) expect(run(name, parameters)).rejects.toThrow();
    expect(asked).toEqual([]);
    const early = tunnelCommands(() => undefined);
    expect(async () => await early.ping?.({})).toThrow("not running yet");
  });
});
