import { describe, expect, test } from "bun:test";
import type { LinkSettings } from "../../../src/portal/settings.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { type End, Pair } from "../pair.ts";

function connectedPair(more: Partial<LinkSettings> = {}): Pair {
  const pair = new Pair();
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen", more));
  for (const id of [0, 1]) pair.a.portal.addLink(pair.now, linkSettings(id, "initiate", more));
  pair.run(200_000);
  return pair;
}

/** Metrics of the paths that are up, by the number of the initiator's link. */
function metrics(pair: Pair, end: End): (number | undefined)[] {
  const linkOf = (path: (typeof end.portal.paths)[number]) => (end === pair.a ? path.link : path.settings.peerLink);
  return [0, 1].map((id) => end.portal.paths.find((path) => path.isUp && linkOf(path) === id)?.metric);
}

const link = (pair: Pair, id: number) => {
  const found = pair.a.portal.snapshot(pair.now).links.find((candidate) => candidate.id === id);
  if (!found) throw new Error("no such link");
  return found;
};

describe("A link changed by hand", () => {
  test("goes down at both ends, stays down, and comes back", () => {
    const pair = connectedPair();
    pair.a.portal.changeLink(pair.now, 1, { action: "down" });
    pair.run(20_000);
    expect([metrics(pair, pair.a), metrics(pair, pair.b)]).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
    pair.run(60_000_000);
    expect(link(pair, 1)).toMatchObject({ state: "stopped", reason: "taken down by hand", byHand: "down", retryIn: 0 });
    for (let i = 0; i < 100; i++) pair.a.offer(pair.now, udpPacket(i));
    pair.run(1_000_000);
    expect(pair.b.delivered).toHaveLength(100);
    pair.a.portal.changeLink(pair.now, 1, { action: "up" });
    pair.run(200_000);
    expect(link(pair, 1)).toMatchObject({ state: "up", byHand: "" });
    expect(metrics(pair, pair.b)).toEqual([0, 0]);
  });

  test("loses nothing that was on its way", () => {
    const pair = connectedPair();
    for (let i = 0; i < 200; i++) {
      pair.a.offer(pair.now, udpPacket(i, 1_000));
      if (i === 100) pair.a.portal.changeLink(pair.now, 0, { action: "down" });
      pair.run(500);
    }
    pair.run(2_000_000);
    expect(pair.b.delivered).toHaveLength(200);
    expect(pair.a.pool.free).toBe(pair.a.pool.count);
  });

  test("gets a metric that the peer learns without the path being away", () => {
    const pair = connectedPair();
    pair.a.portal.changeLink(pair.now, 1, { action: "metric", metric: 10 });
    expect(metrics(pair, pair.a)).toEqual([0, 10]);
    pair.run(100_000);
    expect([metrics(pair, pair.a), metrics(pair, pair.b)]).toEqual([
      [0, 10],
      [0, 10],
    ]);
    expect(link(pair, 1).byHand).toBe("metric 10 (configured: 0)");
    pair.seen.length = 0;
    for (let i = 0; i < 100; i++) {
      pair.a.offer(pair.now, udpPacket(i, 1_000));
      pair.b.offer(pair.now, udpPacket(i, 1_000));
      pair.run(2_000);
    }
    expect(pair.seen.filter(({ link, bytes }) => link === 1 && bytes.length > 900)).toEqual([]);
    pair.a.portal.changeLink(pair.now, 1, { action: "metric", metric: "default" });
    pair.run(100_000);
    expect([metrics(pair, pair.b), link(pair, 1).byHand]).toEqual([[0, 0], ""]);
    expect(pair.a.logs.filter((text) => text.includes("down"))).toEqual([
      "link1: down: replaced",
      "link1: down: replaced",
    ]);
  });

  test("tells the metric also when it was changed while an exchange was under way or the link was silent", () => {
    const pair = new Pair();
    pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
    for (const id of [0, 1]) pair.a.portal.addLink(pair.now, linkSettings(id, "initiate"));
    pair.run(7_000);
    pair.a.portal.changeLink(pair.now, 1, { action: "metric", metric: 5 });
    pair.run(200_000);
    expect(metrics(pair, pair.b)).toEqual([0, 5]);
    pair.cut.add(1);
    pair.run(12_000_000);
    pair.a.portal.changeLink(pair.now, 1, { action: "metric", metric: 6 });
    pair.run(1_000_000);
    pair.cut.clear();
    pair.run(5_000_000);
    expect([metrics(pair, pair.a), metrics(pair, pair.b)]).toEqual([
      [0, 6],
      [0, 6],
    ]);
  });

  test("is changed at the listening end too, for what that end sends", () => {
    const pair = connectedPair();
    pair.b.portal.changeLink(pair.now, 0, { action: "metric", metric: 7 });
    pair.run(100_000);
    expect([metrics(pair, pair.a), metrics(pair, pair.b)]).toEqual([
      [0, 0],
      [7, 7],
    ]);
    pair.b.portal.changeLink(pair.now, 0, { action: "metric", metric: "default" });
    expect(metrics(pair, pair.b)).toEqual([0, 0]);
    pair.b.portal.changeLink(pair.now, 0, { action: "down" });
    pair.run(3_000_000);
    expect([metrics(pair, pair.a), metrics(pair, pair.b)]).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    pair.b.portal.changeLink(pair.now, 0, { action: "up" });
    pair.run(6_000_000);
    expect(metrics(pair, pair.a)).toEqual([0, 0]);
  });

  test("does nothing twice, and nothing to a link that is not there", () => {
    const pair = connectedPair();
    pair.a.portal.changeLink(pair.now, 9, { action: "down" });
    pair.a.portal.changeLink(pair.now, 0, { action: "up" });
    pair.run(1_000_000);
    expect(metrics(pair, pair.a)).toEqual([0, 0]);
    pair.a.portal.changeLink(pair.now, 0, { action: "down" });
    pair.a.portal.changeLink(pair.now, 0, { action: "down" });
    pair.run(10_000);
    expect(pair.a.logs.filter((text) => text.includes("by hand"))).toEqual([
      "link0: down: taken down by hand",
      "link0: taken down by hand",
    ]);
  });
});
