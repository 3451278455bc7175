import { describe, expect, test } from "bun:test";
import { DROP } from "../../src/drops.ts";
import { PACKET_FLAG, PacketPool, type Slot } from "../../src/memory/packet-pool.ts";
import { DEFAULT_FLOW_LIMITS } from "../../src/queue/flow-limits.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import { ipv4, ports } from "../support/packets/build.ts";

const BUCKETS = 4_096;
const PACKET = 1_000;

/** A queue with packets of plain UDP; time in microseconds. */
class Bench {
  readonly pool: PacketPool;
  readonly limits = { ...DEFAULT_FLOW_LIMITS };
  readonly queues: FlowQueues;
  now = 0;

  constructor(slots = 4_096, maxPackets = 1_024) {
    this.pool = new PacketPool(slots, PACKET);
    this.queues = new FlowQueues(this.pool, BUCKETS, maxPackets, this.limits);
  }

  /** 0, or why it was refused. */
  push(flow: number, more: { size?: number; flags?: number; tos?: number } = {}): number {
    const { pool } = this;
    const slot = pool.take();
    const size = more.size ?? PACKET;
    pool.bytes.set(ipv4(17, ports(flow, 9, size - 20), { tos: more.tos ?? 0 }), pool.start[slot]);
    pool.length[slot] = size;
    pool.flow[slot] = flow;
    pool.flags[slot] = more.flags ?? 0;
    pool.time[slot] = this.now;
    const reason = this.queues.push(this.now, slot, size);
    if (reason !== 0) pool.release(slot);
    return reason;
  }

  fill(flow: number, packets: number, more: { size?: number; flags?: number } = {}): void {
    for (let i = 0; i < packets; i++) this.push(flow, more);
  }

  /** Two seconds of flow 1 at 200 packets a second in and 100 out; returns when one was refused. */
  overload(tos = 0, flags = 0): number[] {
    const refusals: number[] = [];
    for (let i = 0; i < 1_000; i++, this.now += 5_000) {
      if (this.push(1, { tos, flags }) !== 0) refusals.push(this.now);
      if (i % 2 === 0) this.shift();
    }
    return refusals;
  }

  /** The flow of the next packet, -1 for none. */
  shift(): number {
    const slot = this.queues.shift(this.now);
    return slot < 0 ? slot : this.free(slot);
  }

  free(slot: Slot): number {
    const flow = this.pool.flow[slot] as number;
    this.pool.release(slot);
    return flow;
  }

  /** How many packets of each flow come out among the next `count`. */
  served(count: number): Map<number, number> {
    const by = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const flow = this.shift();
      if (flow >= 0) by.set(flow, (by.get(flow) ?? 0) + 1);
    }
    return by;
  }
}

describe("FlowQueues", () => {
  test("serves bulk flows alike by bytes, whatever their packets' size", () => {
    const bench = new Bench();
    bench.fill(1, 200);
    bench.fill(2, 600, { size: 250 });
    const served = bench.served(250);
    expect((served.get(2) as number) / 4 / (served.get(1) as number)).toBeWithin(0.9, 1.1);
  });

  test("lets a sparse flow pass all bulk, also when it had been quiet", () => {
    const bench = new Bench();
    bench.fill(1, 300);
    for (let i = 0; i < 20; i++) {
      bench.push(2, { size: 100 });
      expect(bench.shift()).toBe(2);
      expect(bench.shift()).toBe(1);
      bench.now += 20_000;
    }
  });

  test("keeps a steady small flow sparse for ever, and turns one that sends more to bulk and back", () => {
    const bench = new Bench();
    bench.limits.sparseRate = 50_000;
    for (let i = 0; i < 5_000; i++, bench.now += 20_000) {
      bench.push(1, { size: 500 });
      bench.shift();
    }
    expect(bench.queues.isBulk(1)).toBe(false);
    for (let i = 0; i < 500; i++, bench.now += 2_000) {
      bench.push(1);
      bench.shift();
    }
    expect(bench.queues.isBulk(1)).toBe(true);
    bench.now += 100_000;
    bench.push(1);
    expect(bench.queues.isBulk(1)).toBe(true);
    bench.shift();
    bench.now += 210_000;
    bench.push(1);
    expect(bench.queues.isBulk(1)).toBe(false);
  });

  test("stays bulk while packets that a slower path took may be on their way", () => {
    const bench = new Bench();
    bench.limits.spread = 300_000;
    bench.fill(1, 100);
    bench.free(bench.queues.take(bench.now, bench.queues.bulk.first as never, 3, 50_000));
    while (bench.shift() >= 0);
    bench.now += 400_000;
    bench.push(1);
    expect(bench.queues.isBulk(1)).toBe(true);
    bench.shift();
    bench.now += 400_000;
    bench.push(1);
    expect(bench.queues.isBulk(1)).toBe(false);
  });

  test("gives packets that are urgent by nature to no path behind the head", () => {
    const bench = new Bench();
    bench.fill(1, 100, { flags: PACKET_FLAG.PROMPT });
    const flow = bench.queues.bulk.first as never;
    expect(bench.queues.take(0, flow, 3, 10_000)).toBe(-1);
    expect(bench.shift()).toBe(1);
  });

  test("lets a flood of new flows have no more than half of what goes, and a known flow pass it", () => {
    const bench = new Bench(8_192, 4_096);
    bench.fill(1, 400);
    for (let flow = 100; flow < 1_100; flow++) bench.push(flow, { flags: PACKET_FLAG.NEW_FLOW });
    const served = bench.served(200);
    expect(served.get(1) as number).toBeWithin(90, 101);
    bench.push(2, { size: 100 });
    expect(bench.shift()).toBe(2);
  });

  test("lets another path help only the sparse flow whose turn is last, and new flows no more than their share", () => {
    const bench = new Bench();
    bench.fill(1, 20, { size: 500 });
    bench.fill(2, 20, { size: 500 });
    expect(bench.queues.lastSparse(30_000)).toBeUndefined();
    expect(bench.queues.lastSparse(15_000)?.bucket).toBe(2);
    bench.fill(3, 200);
    for (let flow = 100; flow < 150; flow++) bench.push(flow, { flags: PACKET_FLAG.NEW_FLOW });
    expect(bench.queues.lastSparse(30_000)?.bucket).toBe(149);
    while (bench.queues.nextSparse()) bench.shift();
    expect(bench.queues.lastSparse(1_000)).toBeUndefined();
  });

  test("sheds new flows first, then the fattest, and finds room for others", () => {
    const bench = new Bench(4_096, 1_024);
    let newFlows = 0;
    while (newFlows < 1_024 && bench.push(100 + newFlows, { flags: PACKET_FLAG.NEW_FLOW }) === 0) newFlows++;
    expect(newFlows).toBe(256);
    let fat = 0;
    while (fat < 1_024 && bench.push(1) === 0) fat++;
    expect(fat).toBeWithin(500, 640);
    expect(bench.push(2)).toBe(0);
    expect(bench.push(1)).toBe(DROP["queue-full"]);
    for (let flow = 3_000; flow < 3_030; flow++) expect(bench.push(flow)).toBe(0);
    expect(bench.queues.shed).toBeGreaterThan(2);
  });

  test("drops the next packet of a flow whose wait stood too long, not before", () => {
    const bench = new Bench();
    const refusals = bench.overload();
    expect([bench.queues.marked, bench.queues.dropped]).toEqual([0, refusals.length]);
    expect(refusals.length).toBeWithin(5, 60);
    expect(refusals[0] as number).toBeGreaterThan(2 * 100_000 + 43_000);
  });

  test("drops nothing that its host sends again: the next new packet instead", () => {
    const bench = new Bench();
    expect(bench.overload(0, PACKET_FLAG.AGAIN)).toEqual([]);
    expect(bench.push(1)).toBe(DROP["queue-delay"]);
  });

  test("has room for what its host sends again while there is any", () => {
    const bench = new Bench(64, 32);
    while (bench.push(1) === 0);
    expect(bench.push(1, { flags: PACKET_FLAG.AGAIN })).toBe(0);
  });

  test("marks packets that take marks, and drops none of them", () => {
    const bench = new Bench();
    expect(bench.overload(2)).toEqual([]);
    expect([bench.queues.dropped, bench.queues.marked >= 5, bench.queues.marked < 60]).toEqual([0, true, true]);
  });

  test("takes what a slower path needs to wait for no excess", () => {
    const bench = new Bench();
    bench.limits.spread = 10_000_000;
    expect(bench.overload()).toEqual([]);
  });

  test("allows a flow with a longer way more", () => {
    const [near, far] = [20_000, 300_000].map((trip) => {
      const bench = new Bench();
      bench.queues.learnRtt(1, trip);
      return bench.overload().length;
    }) as [number, number];
    expect(near).toBeGreaterThan(far);
  });

  test("forgets flows without packets, however many came", () => {
    const bench = new Bench();
    for (let round = 0; round < 3; round++, bench.now += 6_000_000) {
      for (let flow = 0; flow < BUCKETS; flow++) {
        bench.push(flow);
        bench.shift();
      }
    }
    // A bulk flow that was forgotten is sparse again, and was not moved by others' packets.
    bench.fill(7, 100);
    expect(bench.queues.isBulk(7)).toBe(true);
    while (bench.shift() >= 0);
    bench.now += 6_000_000;
    for (const flow of [8, 9, 10, 11]) {
      bench.push(flow);
      bench.shift();
    }
    expect([bench.queues.length, bench.queues.bytes, bench.pool.free]).toEqual([0, 0, bench.pool.count]);
  });
});
