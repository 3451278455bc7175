import { describe, expect, test } from "bun:test";
import { Tally } from "../../src/cli/ping-command.ts";

function tallyOf(...lines: (readonly [path: string, rtt: number | undefined])[]): Tally {
  const tally = new Tally();
  for (const [path, rtt] of lines) tally.note({ path, rtt, remote: "", reason: "" });
  return tally;
}

describe("The summary of ping", () => {
  test("has smallest, mean and greatest round trip of each path", () => {
    const tally = tallyOf(
      ["lte", 10_000],
      ["tunnel", 9_000],
      ["lte", 30_000],
      ["tunnel", undefined],
      ["dsl", undefined],
    );
    expect(tally.render()).toBe(`lte: 2 of 2 answered, rtt min 10.0 ms, mean 20.0 ms, max 30.0 ms
tunnel: 1 of 2 answered, rtt min 9.0 ms, mean 9.0 ms, max 9.0 ms
dsl: 0 of 1 answered`);
  });

  test("is good when the tunnel answered, or the one link that was asked for", () => {
    expect(tallyOf(["lte", undefined], ["tunnel", 1]).isGood).toBe(true);
    expect(tallyOf(["lte", 1], ["tunnel", undefined]).isGood).toBe(false);
    expect(tallyOf(["lte", undefined], ["lte", 1]).isGood).toBe(true);
    expect(tallyOf(["lte", undefined]).isGood).toBe(false);
    expect(tallyOf().isGood).toBe(false);
  });
});
