import { describe, expect, test } from "bun:test";
import { SettledDatagrams } from "../../src/path/loss.ts";
import { BASE_DATAGRAM, LEAST_DATAGRAM, type MtuLimits, PathMtu } from "../../src/path/mtu.ts";
import { SentPackets } from "../../src/path/sent-packets.ts";
import { Ack } from "../../src/wire/ack.ts";

const SECOND = 1_000_000;
const ROUND_RTT = 20_000;
const WAIT = 50_000;
const LIMITS: MtuLimits = { ceiling: 1_472, full: 1_438, isFixed: false };

/** A path that carries datagrams up to `carries` bytes, and answers probes after a round trip. */
class Script {
  readonly mtu: PathMtu;
  readonly probes: number[] = [];
  now = 0;
  carries: number;
  readonly #sent = new SentPackets();

  constructor(carries: number, limits: Partial<MtuLimits> = {}) {
    this.carries = carries;
    this.mtu = new PathMtu(0, { ...LIMITS, ...limits });
  }

  /** Sends what is due until `end`. */
  run(end: number): void {
    while (this.mtu.dueAt <= end) {
      this.now = Math.max(this.now, this.mtu.dueAt);
      const size = this.mtu.due(this.now);
      if (size === 0) continue;
      this.probes.push(size);
      const number = this.#sent.add(this.now, 0, size, -1);
      this.mtu.onSent(this.now, number, WAIT);
      if (size <= this.carries) this.answer(number, this.now + ROUND_RTT);
    }
    this.now = end;
  }

  answer(number: number, at: number): void {
    this.now = at;
    const facts = { ack: number, nack: number - 1, largest: number, latest: number, ranges: 1 };
    const ack = Object.assign(new Ack(), facts);
    ack.pairs.set([0, 1]);
    this.mtu.onAck(at, this.#sent, ack);
  }

  /** Datagrams of the path's present size that were lost or arrived, and small ones that arrived. */
  outcome(what: Partial<SettledDatagrams>): void {
    this.mtu.onSettled(this.now, Object.assign(new SettledDatagrams(), what));
  }
}

describe("the search for a path's MTU", () => {
  test("starts at the base, tries a full packet first, and then all there is", () => {
    const script = new Script(1_472);
    expect([script.mtu.size, script.mtu.state]).toEqual([BASE_DATAGRAM, "searching"]);
    expect(script.mtu.due(0)).toBe(1_438);
    script.run(SECOND);
    expect(script.probes).toEqual([1_438, 1_472]);
    expect([script.mtu.size, script.mtu.state, script.mtu.dueAt]).toEqual([1_472, "found", Number.POSITIVE_INFINITY]);
  });

  test.each([1_200, 1_201, 1_233, 1_372, 1_400, 1_437, 1_438, 1_440, 1_464, 1_471])(
    "finds %d bytes exactly",
    (size) => {
      const script = new Script(size);
      script.run(5 * SECOND);
      expect([script.mtu.size, script.mtu.state]).toEqual([size, "found"]);
      expect(script.probes.length).toBeLessThanOrEqual(3 * 10 + 9);
    },
  );

  test("takes a size for too large after three losses, not before", () => {
    const script = new Script(1_300);
    script.run(2 * WAIT);
    expect(script.probes).toEqual([1_438, 1_438, 1_438]);
    script.run(3 * WAIT);
    script.run(3 * WAIT + ROUND_RTT);
    expect(script.probes.slice(3)).toEqual([1_200, 1_200 + Math.ceil((1_437 - 1_200) / 2)]);
  });

  test("believes an answer that comes late", () => {
    const script = new Script(0);
    script.run(3 * WAIT);
    expect(script.probes).toEqual([1_438, 1_438, 1_438, 1_200]);
    script.answer(1, 3 * WAIT + 1);
    expect(script.mtu.size).toBe(1_438);
    script.carries = 1_472;
    script.run(SECOND);
    expect(script.mtu.size).toBe(1_472);
  });

  test("asks again after a while, at last every ten minutes, and finds that the path has become wider", () => {
    const script = new Script(1_400);
    script.run(10 * SECOND);
    const found = script.probes.length;
    script.run(20 * SECOND);
    expect(script.probes.slice(found)).toEqual([1_401, 1_401, 1_401]);
    expect(script.mtu.state).toBe("found");
    script.run(3_600 * SECOND);
    const hourly = script.probes.length;
    script.run(3_600 * SECOND + 600 * SECOND);
    expect(script.probes.slice(hourly)).toEqual([1_401, 1_401, 1_401]);
    script.carries = 1_472;
    script.run(script.now + 601 * SECOND);
    expect([script.mtu.size, script.mtu.state]).toEqual([1_472, "found"]);
  });

  test("goes below the base where not even that passes", () => {
    const script = new Script(972);
    script.run(10 * SECOND);
    expect([script.mtu.size, script.mtu.state]).toEqual([972, "found"]);
    const none = new Script(0);
    none.run(10 * SECOND);
    expect([none.mtu.size, none.mtu.state]).toEqual([LEAST_DATAGRAM, "found"]);
  });

  test("only asks whether the limit passes where that is the base or below", () => {
    const script = new Script(1_000, { ceiling: 1_000, full: 1_000 });
    script.run(SECOND);
    expect(script.probes).toEqual([1_000]);
    expect([script.mtu.size, script.mtu.state]).toEqual([1_000, "found"]);
  });

  test("does not search on a stream", () => {
    const script = new Script(0, { isFixed: true });
    script.run(SECOND);
    script.outcome({ largeLost: 100, ackedPackets: 1 });
    script.mtu.onRefused(SECOND, 500);
    script.mtu.restart(SECOND);
    expect([script.probes, script.mtu.size, script.mtu.state]).toEqual([[], 1_472, "fixed"]);
  });
});

describe("a path that becomes narrower", () => {
  const found = (carries = 1_472): Script => {
    const script = new Script(carries);
    script.run(10 * SECOND);
    return script;
  };

  test("falls back to the base when large datagrams vanish while small ones arrive, and searches at once", () => {
    const script = found();
    script.carries = 1_350;
    script.outcome({ largeLost: 30, lostPackets: 30, lostSentAt: script.now - 50_000 });
    script.outcome({ ackedPackets: 1 });
    expect(script.mtu.size).toBe(1_472);
    // Sent when the first were known to be lost.
    script.outcome({ largeLost: 1, lostPackets: 1, lostSentAt: script.now + 1 });
    expect(script.mtu.size).toBe(1_472);
    script.outcome({ ackedPackets: 1 });
    expect([script.mtu.size, script.mtu.state]).toEqual([BASE_DATAGRAM, "searching"]);
    script.run(15 * SECOND);
    expect([script.mtu.size, script.mtu.state]).toEqual([1_350, "found"]);
  });

  test("stays as it is while any large datagram arrives", () => {
    const script = found();
    for (let i = 0; i < 20; i++) {
      script.outcome({ largeLost: 3, lostPackets: 3, ackedPackets: 5 });
      script.outcome({ largeAcked: 1, ackedPackets: 1 });
    }
    expect(script.mtu.size).toBe(1_472);
  });

  test("stays as it is when all that was sent at once is late, or lost together", () => {
    const script = found();
    for (let i = 0; i < 5; i++)
      script.outcome({ largeLost: 9, lostPackets: 9, ackedPackets: 1, lostSentAt: script.now - 1_000 });
    expect(script.mtu.size).toBe(1_472);
  });

  test("falls below the base when that does not pass any more", () => {
    const script = found(1_200);
    script.carries = 600;
    expect(script.mtu.size).toBe(BASE_DATAGRAM);
    expect(script.mtu.large).toBe(LEAST_DATAGRAM);
    script.outcome({ largeLost: 3, lostPackets: 3, ackedPackets: 1, lostSentAt: script.now - 1_000 });
    script.outcome({ largeLost: 1, lostPackets: 1, ackedPackets: 1, lostSentAt: script.now + 1 });
    expect(script.mtu.size).toBe(LEAST_DATAGRAM);
    script.run(30 * SECOND);
    expect(script.mtu.size).toBe(600);
  });

  test("takes the local system's word at once", () => {
    const script = found();
    script.carries = 1_392;
    script.mtu.onRefused(script.now, 1_438);
    expect(script.mtu.size).toBe(BASE_DATAGRAM);
    const before = script.probes.length;
    script.run(script.now + SECOND);
    expect(Math.max(...script.probes.slice(before))).toBeLessThan(1_438);
    expect(script.mtu.size).toBe(1_392);
  });

  test("gives up a probe that the local system refuses without two more tries", () => {
    const script = new Script(0);
    expect(script.mtu.due(0)).toBe(1_438);
    script.mtu.onSent(0, 0, WAIT);
    script.mtu.onRefused(0, 1_438);
    expect(script.mtu.size).toBe(BASE_DATAGRAM);
    expect(script.mtu.due(0)).toBeLessThan(1_438);
  });

  test("survives refusals of any size", () => {
    const script = found();
    for (const bytes of [1_472, 1_300, 1_200, 600, 508, 100, 1]) script.mtu.onRefused(script.now, bytes);
    expect([script.mtu.size, script.mtu.state]).toEqual([LEAST_DATAGRAM, "found"]);
  });

  test("begins anew on the way to a new address", () => {
    const script = found();
    script.mtu.restart(script.now);
    expect([script.mtu.size, script.mtu.state]).toEqual([BASE_DATAGRAM, "searching"]);
    script.run(script.now + SECOND);
    expect(script.mtu.size).toBe(1_472);
  });
});
