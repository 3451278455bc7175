import { describe, expect, test } from "bun:test";
import { NEVER } from "../../../src/clock.ts";
import { NO_SLOT, PacketPool, type Slot } from "../../../src/memory/packet-pool.ts";
import { Overdue } from "../../../src/path/overdue.ts";
import type { Path } from "../../../src/path/path.ts";
import { Rtt } from "../../../src/path/rtt.ts";
import { SentPackets } from "../../../src/path/sent-packets.ts";
import { PathTable } from "../../../src/portal/path-table.ts";
import { PathRecords } from "../../../src/portal/sending/path-records.ts";
import { ResendPolicy } from "../../../src/portal/sending/resend-policy.ts";
import { Retransmissions } from "../../../src/portal/sending/retransmissions.ts";
import { TunnelEstimate } from "../../../src/portal/tunnel-estimate.ts";
import { CLASS } from "../../../src/wire/data.ts";

const MS = 1_000;
const NOW = 1_000 * MS;

interface View {
  readonly arrival?: number;
  readonly randomLoss?: number;
  readonly isMetered?: boolean;
}

/** Two or more paths, in the order given; packets leave by `send`, and what is asked for comes from the policy. */
class Bench {
  readonly pool = new PacketPool(64, 200);
  readonly paths = new PathTable((bytes) => void bytes.fill(1));
  readonly records = new PathRecords();
  readonly retransmissions: Retransmissions;
  readonly policy: ResendPolicy;

  constructor(...views: readonly View[]) {
    for (const [id, view] of views.entries()) this.paths.add(path(id, view));
    const estimate = new TunnelEstimate(this.paths);
    this.retransmissions = new Retransmissions(this.pool, estimate);
    this.policy = new ResendPolicy(
      { paths: this.paths, pool: this.pool, estimate },
      this.retransmissions,
      this.records,
    );
  }

  path(id: number): Path {
    return this.paths.list[id] as Path;
  }

  /** Sends a packet on a path at `now`, as Outbound does. */
  send(now: number, on: number, slot: Slot = this.#newPacket(now)): Slot {
    const attempts = (this.pool.attempts[slot] as number) + 1;
    this.pool.attempts[slot] = attempts;
    const kept = this.retransmissions.keep(slot, 1);
    this.path(on).sent.add(now, 100, 100, kept);
    this.policy.offer(now, this.path(on), slot);
    this.pool.release(slot);
    return slot;
  }

  #newPacket(now: number): Slot {
    const slot = this.pool.take();
    this.pool.class[slot] = CLASS.ORDERED;
    this.pool.time[slot] = now;
    // Sets aside what was asked for before: this packet is new.
    this.policy.nextUrgent(now, this.path(0));
    return slot;
  }

  urgent(now: number, on: number): Slot {
    this.policy.prepare(this.path(on));
    return this.policy.nextUrgent(now, this.path(on));
  }

  idle(now: number, on: number): Slot {
    this.policy.prepare(this.path(on));
    return this.policy.nextIdle(now, this.path(on));
  }

  /** Marks a path as one that has nothing to send. */
  starve(id: number): void {
    this.records.of(this.path(id)).isStarved = true;
  }
}

function path(id: number, { arrival = 10 * MS, randomLoss = 0, isMetered = false }: View): Path {
  const rtt = new Rtt();
  rtt.update(0, 20 * MS, 0);
  const view = { id, arrival, randomLoss, isUp: true, isMeasured: true, metric: 0, rtt, sent: new SentPackets() };
  return { ...view, limits: { isMetered }, recovery: { overdue: new Overdue() } } as unknown as Path;
}

describe("ResendPolicy", () => {
  test("sends a lost packet before all new ones, by the fastest path", () => {
    const bench = new Bench({}, { arrival: 40 * MS });
    const slot = bench.send(NOW, 1);
    bench.retransmissions.onLost(NOW, slot);
    expect(bench.urgent(NOW, 1)).toBe(NO_SLOT);
    expect(bench.urgent(NOW, 0)).toBe(slot);
    expect(bench.policy.isRetransmission).toBe(true);
    expect(bench.records.of(bench.path(0)).reinjections).toBe(0);
  });

  test("lets a path retransmit that is hardly later than the fastest", () => {
    for (const [behind, may] of [
      [5 * MS, true],
      [5 * MS + 1, false],
    ] as const) {
      const bench = new Bench({}, { arrival: 10 * MS + behind });
      const slot = bench.send(NOW, 0);
      bench.retransmissions.onLost(NOW, slot);
      expect(bench.urgent(NOW, 1)).toBe(may ? slot : NO_SLOT);
    }
  });

  test("reinjects a retransmission at once on another path while one is idle", () => {
    const bench = new Bench({}, {});
    const slot = bench.send(NOW, 0);
    bench.retransmissions.onLost(NOW, slot);
    bench.send(NOW, 0, bench.urgent(NOW, 0));
    bench.starve(0);
    expect(bench.urgent(NOW, 1)).toBe(slot);
    expect(bench.policy.isRetransmission).toBe(false);
    expect(bench.records.of(bench.path(1)).reinjections).toBe(1);
  });

  test("reinjects a retransmission where all paths are busy once it is overdue", () => {
    const bench = new Bench({}, {});
    const slot = bench.send(NOW, 0);
    bench.retransmissions.onLost(NOW, slot);
    bench.send(NOW, 0, bench.urgent(NOW, 0));
    // The estimate has not learned of any path: 100 ms.
    expect(bench.policy.dueAt()).toBe(NOW + 100 * MS);
    expect(bench.urgent(NOW + 99 * MS, 1)).toBe(NO_SLOT);
    expect(bench.urgent(NOW + 100 * MS, 1)).toBe(slot);
    expect(bench.policy.dueAt()).toBe(NEVER);
  });

  test("reinjects in advance what a lossy path carries, on another one that is idle", () => {
    const bench = new Bench({ randomLoss: 0.01 }, {});
    const slot = bench.send(NOW, 0);
    expect(bench.idle(NOW, 0)).toBe(NO_SLOT);
    expect(bench.idle(NOW, 1)).toBe(slot);
    expect(bench.idle(NOW, 1)).toBe(NO_SLOT);
  });

  test("reinjects nothing of paths that lose nothing, nor what was acknowledged meanwhile", () => {
    const bench = new Bench({ randomLoss: 0.01 }, {});
    bench.send(NOW, 1);
    expect(bench.idle(NOW, 0)).toBe(NO_SLOT);
    bench.retransmissions.onDelivered(bench.send(NOW, 0));
    expect(bench.idle(NOW, 1)).toBe(NO_SLOT);
  });

  test("reinjects nothing where traffic is paid for, but retransmits", () => {
    const bench = new Bench({ randomLoss: 0.01 }, { isMetered: true });
    const slot = bench.send(NOW, 0);
    expect(bench.idle(NOW, 1)).toBe(NO_SLOT);
    bench.retransmissions.onLost(NOW, slot);
    expect(bench.urgent(NOW, 1)).toBe(slot);
  });

  test("takes an overdue packet of a lossy path before new ones only while another path is idle", () => {
    const late = NOW + 200 * MS;
    const busy = new Bench({ randomLoss: 0.01 }, {});
    busy.send(NOW, 0);
    expect(busy.urgent(late, 1)).toBe(NO_SLOT);
    const idle = new Bench({ randomLoss: 0.01 }, {});
    const slot = idle.send(NOW, 0);
    idle.starve(0);
    expect(idle.urgent(late, 1)).toBe(slot);
  });
});
