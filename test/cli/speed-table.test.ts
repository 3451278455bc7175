import { describe, expect, test } from "bun:test";
import { renderSpeeds } from "../../src/cli/speed-table.ts";
import { chooseLinks } from "../../src/cli/speedtest-command.ts";
import type { LinkSnapshot } from "../../src/portal/snapshot.ts";

describe("The figures of a speed test", () => {
  test("are a table with the best link, the sum, the tunnel and how it compares", () => {
    const links = [
      { name: "fibre", forward: 15.25, reverse: 40 },
      { name: "lte", forward: 14.75, reverse: 0 },
    ];
    expect(
      renderSpeeds({ links, tunnel: { forward: 28.5, reverse: 38 } }),
    ).toBe(`Mbit/s               to the peer  from the peer
fibre                      15.25          40.00
lte                        14.75           0.00
best link                  15.25          40.00
sum of links               30.00          40.00
tunnel                     28.50          38.00
times the best link         1.87           0.95
share of the sum            0.95           0.95`);
  });

  test("leave out a way that was not measured, and divide by nothing", () => {
    const text = renderSpeeds({ links: [{ name: "lte", reverse: 0 }], tunnel: { reverse: 0 } });
    expect(text).not.toContain("to the peer");
    expect(text).toMatch(/^times the best link +-$/m);
  });

  test("are of links that are up, those in reserve only when asked for", () => {
    const up = { state: "up", standby: false, limits: { metered: false } };
    const link = (name: string, ...paths: object[]) => ({ name, paths }) as never;
    const links: LinkSnapshot[] = [
      link("a", up),
      link("b", { ...up, standby: true, limits: { metered: true } }),
      link("c", { ...up, state: "suspect" }),
      link("d"),
    ];
    expect(chooseLinks(links, false)).toEqual({ measured: ["a"], standby: ["b"], metered: [] });
    expect(chooseLinks(links, true)).toEqual({ measured: ["a", "b"], standby: [], metered: [] });
    const paid = [link("a", up), link("e", { ...up, limits: { metered: true } })];
    expect(chooseLinks(paid, false)).toEqual({ measured: ["a", "e"], standby: [], metered: ["e"] });
    expect(chooseLinks(paid, true)).toEqual({ measured: ["a", "e"], standby: [], metered: [] });
  });
});
