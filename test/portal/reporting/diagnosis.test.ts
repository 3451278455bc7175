import { describe, expect, test } from "bun:test";
import { type Endpoint, parseEndpoint } from "../../../src/endpoint.ts";
import type { PortalEvent } from "../../../src/portal/events.ts";
import type { Query } from "../../../src/portal/query.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { type End, Pair } from "../pair.ts";

type Answer = Extract<PortalEvent, { type: "diagnosed" }>;

function connectedPair(metrics: readonly number[] = [0, 0]): Pair {
  const pair = new Pair();
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
  for (const [id, metric] of metrics.entries())
    pair.a.portal.addLink(pair.now, linkSettings(id, "initiate", { metric }));
  pair.run(200_000);
  return pair;
}

/** What `end` answers to one query, and its other events of this kind. */
function ask(pair: Pair, end: End, query: Query, duration = 3_000_000): Answer[] {
  end.asked.length = 0;
  end.portal.ask(pair.now, 5, query);
  pair.run(duration);
  return end.asked.filter((event) => event.type === "diagnosed");
}

const SECRET = new Uint8Array(16).fill(3);

describe("A question about the tunnel", () => {
  test("is answered with the round trip of every path and of the best, and how the peer sees this end", () => {
    const pair = connectedPair();
    for (const end of [pair.a, pair.b]) {
      const answers = ask(pair, end, { kind: "ping", wait: 2_000_000 });
      expect(answers).toHaveLength(1);
      const echoes = answers[0]?.echoes ?? [];
      expect(echoes.map(({ rtt, isBest }) => [rtt, isBest])).toEqual([
        [10_000, false],
        [10_000, false],
        [10_000, true],
      ]);
      const seen = echoes.map((echo) => echo.seen);
      expect(seen).toEqual(
        end === pair.a ? ["192.0.2.1:1000", "192.0.2.1:1001", ""] : ["192.0.2.2:4725", "192.0.2.2:4725", ""],
      );
    }
    expect(pair.a.pool.free).toBe(pair.a.pool.count);
  });

  test("is answered in time when a path does not", () => {
    const pair = connectedPair();
    pair.cut.add(1);
    const [answer] = ask(pair, pair.a, { kind: "ping", wait: 500_000 });
    expect(answer?.echoes.map(({ link, rtt }) => [link, rtt])).toContainEqual([1, undefined]);
    expect(answer?.echoes.filter(({ rtt }) => rtt === 10_000).length).toBeGreaterThan(0);
  });

  test("is answered at once when there is no path at all", () => {
    const pair = new Pair();
    const [answer] = ask(pair, pair.a, { kind: "ping", wait: 500_000 }, 1_000);
    expect(answer).toEqual({ type: "diagnosed", request: 5, echoes: [], responder: undefined });
    expect(ask(pair, pair.a, { kind: "alone", link: 0, seconds: 5 }, 1_000)).toHaveLength(1);
  });

  test("takes the best path that carries, not one in reserve", () => {
    const pair = connectedPair([10, 0]);
    const [answer] = ask(pair, pair.a, { kind: "ping", wait: 500_000 });
    expect(answer?.echoes.find((echo) => echo.isBest)?.link).toBe(1);
  });

  test("may be for a responder, which the peer is asked for by every path and offers", () => {
    const pair = connectedPair();
    pair.a.portal.ask(pair.now, 6, { kind: "responder", secret: SECRET, seconds: 20, wait: 1_000_000 });
    pair.run(100_000);
    const wanted = pair.b.asked.filter((event) => event.type === "responder-wanted");
    expect(wanted).toHaveLength(2);
    const { token, secret, seconds } = wanted[0] as Extract<PortalEvent, { type: "responder-wanted" }>;
    expect({ secret, seconds }).toEqual({ secret: SECRET, seconds: 20 });
    pair.b.portal.handleResponder(pair.now, token, { port: 4726, addresses: [parseEndpoint("10.0.0.1") as Endpoint] });
    pair.run(100_000);
    expect(pair.a.asked).toEqual([
      { type: "diagnosed", request: 6, echoes: [], responder: { port: 4726, addresses: ["10.0.0.1"] } },
    ]);
    const unanswered = ask(pair, pair.a, { kind: "responder", secret: SECRET, seconds: 20, wait: 100_000 });
    expect(unanswered.map((answer) => answer.responder)).toEqual([undefined]);
  });
});

describe("A link that is to be alone", () => {
  /** How many large datagrams each link carries while both ends send. */
  function carried(pair: Pair): number[] {
    pair.seen.length = 0;
    for (let i = 0; i < 100; i++) {
      pair.a.offer(pair.now, udpPacket(i, 1_000));
      pair.b.offer(pair.now, udpPacket(i, 1_000));
      pair.run(2_000);
    }
    return [0, 1].map(
      (link) => pair.seen.filter((datagram) => datagram.link === link && datagram.bytes.length > 900).length,
    );
  }

  test("carries everything both ways, for its time or until it is called off", () => {
    const pair = connectedPair();
    ask(pair, pair.a, { kind: "alone", link: 1, seconds: 30 }, 50_000);
    expect(carried(pair)).toEqual([0, 200]);
    ask(pair, pair.a, { kind: "alone", link: undefined, seconds: 0 }, 50_000);
    expect(carried(pair)[0]).toBeGreaterThan(0);
    ask(pair, pair.a, { kind: "alone", link: 1, seconds: 2 }, 50_000);
    expect(carried(pair)[0]).toBe(0);
    pair.run(3_000_000);
    expect(carried(pair)[0]).toBeGreaterThan(0);
  });

  test("may be one in reserve, and is not missed when it fails", () => {
    const pair = connectedPair([0, 10]);
    ask(pair, pair.a, { kind: "alone", link: 1, seconds: 60 }, 50_000);
    expect(carried(pair)).toEqual([0, 200]);
    pair.cut.add(1);
    carried(pair);
    pair.run(1_000_000);
    expect(carried(pair)[0]).toBeGreaterThan(100);
  });
});
