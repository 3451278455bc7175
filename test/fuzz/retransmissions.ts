/** Fuzzes retransmission: packets sent, acknowledged in any way at any time, and sent again. */
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { applyAck, SettledDatagrams } from "../../src/path/loss.ts";
import { SENT, SentPackets } from "../../src/path/sent-packets.ts";
import { Retransmissions } from "../../src/portal/sending/retransmissions.ts";
import { Ack } from "../../src/wire/ack.ts";
import { seedsOf } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { Operations } from "./operations.ts";
import { check, type Target } from "./target.ts";

const SLOTS = 96;
const PATHS = 2;

class Bench {
  readonly #pool = new PacketPool(SLOTS, 64);
  readonly #times = { retransmissionLifetime: 200_000, reinjectionLifetime: 20_000, overdueAfter: 100_000 };
  readonly #retransmissions = new Retransmissions(this.#pool, this.#times);
  readonly #sent = Array.from({ length: PATHS }, () => new SentPackets());
  readonly #ack = new Ack();
  readonly #out = new SettledDatagrams();
  #now = 0;

  attempt(input: Uint8Array): void {
    const operations = new Operations(input);
    while (!operations.isDone) this.#step(operations);
    for (const sent of this.#sent) this.#checkCounts(sent);
    // At the end of all things everything comes back.
    this.#settleAll();
    this.#retransmissions.clear();
    check(this.#pool.free === SLOTS, `${SLOTS - this.#pool.free} slots are lost`);
  }

  #step(operations: Operations): void {
    const what = operations.below(12);
    const path = operations.below(PATHS);
    const sent = this.#sent[path] as SentPackets;
    if (what < 4) this.#send(operations, path, this.#pool.take());
    else if (what < 6) this.#acknowledge(operations, sent);
    else if (what === 6) this.#send(operations, path, this.#retransmissions.next(this.#now));
    else if (what === 7) this.#send(operations, path, this.#retransmissions.reinjections.next(this.#now, path, 20_000));
    else if (what === 10)
      this.#send(operations, path, this.#retransmissions.urgentReinjections.next(this.#now, path, 60_000));
    else if (what === 11)
      this.#send(operations, path, this.#retransmissions.urgentReinjections.nextOverdue(this.#now, 30_000, 60_000));
    else if (what === 8) this.#now += operations.below(60_000);
    else this.#disturb(operations, sent);
  }

  /** Puts a packet on a path as Outbound does: kept for retransmission with each of its datagrams, offered for reinjection, released. */
  #send(operations: Operations, path: number, slot: number): void {
    if (slot < 0) return;
    const pool = this.#pool;
    if (pool.attempts[slot] === 0) {
      pool.class[slot] = operations.below(4);
      pool.flow[slot] = operations.below(5);
      pool.time[slot] = this.#now;
    }
    pool.attempts[slot] = (pool.attempts[slot] as number) + 1;
    const fragments = operations.oneIn(5) ? 2 + operations.below(4) : 1;
    const kept = this.#retransmissions.keep(slot, fragments);
    for (let part = 0; part < fragments; part++) this.#sent[path]?.add(this.#now, 100, 100, kept);
    if (operations.oneIn(3)) this.#retransmissions.reinjections.offer(this.#now, slot, path);
    if (operations.oneIn(3)) this.#retransmissions.urgentReinjections.offer(this.#now, slot, path);
    pool.release(slot);
  }

  #acknowledge(operations: Operations, sent: SentPackets): void {
    const ack = this.#ack;
    ack.largest = sent.next - 1 + (operations.oneIn(12) ? 1 : -operations.below(6));
    ack.ack = Math.max(-1, ack.largest - operations.below(40));
    ack.nack = operations.oneIn(3) ? ack.ack : Math.max(-1, ack.ack - operations.below(20));
    ack.latest = ack.largest - operations.below(3);
    ack.ranges = operations.below(5);
    for (let i = 0; i < 2 * ack.ranges; i++) ack.pairs[i] = operations.below(i % 2 === 0 ? 4 : 6);
    const deliveries = operations.oneIn(10) ? this.#retransmissions.discards : this.#retransmissions;
    const before = sent.next;
    const isTaken = applyAck(this.#now, sent, ack, operations.oneIn(2) ? "nack" : "gap", deliveries, this.#out);
    check(!isTaken || ack.largest < before, "took an acknowledgement of what was never sent");
    sent.trim();
    this.#checkCounts(sent);
  }

  #disturb(operations: Operations, sent: SentPackets): void {
    if (operations.oneIn(4)) this.#retransmissions.clear();
    if (operations.oneIn(4)) sent.add(this.#now, 0, 40, -1);
    while (this.#retransmissions.hasAbandoned) {
      check(this.#retransmissions.abandonedBucket() < 5, "abandons a bucket that is none");
      check(this.#retransmissions.abandonedSequence() >= 0, "abandons half a packet");
    }
    this.#times.retransmissionLifetime = 20_000 + operations.below(60_000);
  }

  #settleAll(): void {
    for (const sent of this.#sent) {
      for (let number = sent.firstInFlight; number < sent.next; number++) {
        if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
        const kept = sent.settle(number, SENT.LOST);
        if (kept >= 0) this.#retransmissions.discards.onLost(this.#now, kept);
      }
      sent.trim();
      check(sent.packetsInFlight === 0 && sent.bytesInFlight === 0, "still in flight");
    }
  }

  #checkCounts(sent: SentPackets): void {
    let [packets, bytes] = [0, 0];
    for (let number = sent.firstInFlight; number < sent.next; number++) {
      if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
      packets++;
      bytes += sent.bytesOf(number);
    }
    check(packets === sent.packetsInFlight && bytes === sent.bytesInFlight, "in flight");
  }
}

export const RETRANSMISSIONS: Target = {
  draw: (random) => mutate(random, seedsOf("retransmissions"), 240),
  start() {
    const bench = new Bench();
    return (_random, input) => bench.attempt(input);
  },
};
