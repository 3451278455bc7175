// @hot
/**
 * From the host to the network, in the order of a packet's journey: `handlePacket` parses it, finds its flow and queues it; `pollDatagrams` lets
 * the resend policy and the scheduler choose packets for a path, then adds headers, numbers and seals. Control messages go before data.
 */
import type { Micros } from "../../clock.ts";
import type { PacketBatch } from "../../memory/packet-batch.ts";
import { NO_SLOT, PACKET_FLAG, type Slot } from "../../memory/packet-pool.ts";
import { Ring } from "../../memory/ring.ts";
import type { Path } from "../../path/path.ts";
import { classify, TRAFFIC } from "../../queue/classify.ts";
import { Flows } from "../../queue/flows.ts";
import { Handshakes, handshakeStep } from "../../queue/handshakes.ts";
import { BUCKET_MASK, CLASS, DATA_FLAG, DATA_SIZE, writeData } from "../../wire/data.ts";
import { HEADER_SIZE } from "../../wire/datagram.ts";
import { MAX_FRAGMENTS } from "../../wire/fragment.ts";
import { turnIntoTooBig } from "../../wire/icmp.ts";
import { ParsedHeader, PROTOCOL } from "../../wire/ip.ts";
import { clampMss } from "../../wire/mss.ts";
import { drop, dropFor, type PortalContext } from "../context.ts";
import { isLossy } from "../tunnel-estimate.ts";
import { ControlMessages, DUE } from "./control-messages.ts";
import { Duplicates } from "./duplicates.ts";
import { Fragmenter } from "./fragmenter.ts";
import { type PathRecord, PathRecords } from "./path-records.ts";
import { ResendPolicy } from "./resend-policy.ts";
import type { Retransmissions } from "./retransmissions.ts";

/** Bytes of backlog from which on the paths in use count as full. */
const FULL_BACKLOG = 16_000;
/** Bytes of padding that may be spent on finding a path's rate; 100 Mbit/s at 100 ms take about 2 MB. */
const MOST_EXPLORED = 4_000_000;
/** Share of the tunnel's rate up to which padding finds a path's rate; packets find the rest. */
const EXPLORED_SHARE = 1 / 4;
/** Longest pause between probes of an idle path that could carry some of the backlog, unless its round-trip time is longer. */
const PROBE_INTERVAL: Micros = 50_000;

/** Called with each TCP packet of the host that joins the queue; may set flags of its slot. */
export type TcpPacketListener = (now: Micros, slot: Slot, parsed: ParsedHeader) => void;

export class Outbound {
  readonly #context: PortalContext;
  readonly #flows: Flows;
  readonly #handshakes = new Handshakes(BUCKET_MASK + 1);
  readonly #parsed = new ParsedHeader();
  readonly records = new PathRecords();
  readonly control: ControlMessages;
  readonly duplicates: Duplicates;
  readonly resends: ResendPolicy;
  readonly fragmenter: Fragmenter;
  readonly retransmissions: Retransmissions;
  readonly #onTcpPacket: TcpPacketListener;
  /** ICMP errors for the host. */
  readonly #toHost: Ring;
  /** True if flows are told apart and their packets ordered at the far end. */
  readonly #isOrdering: boolean;
  packets = 0;
  bytes = 0;

  /** @param salt random per run */
  constructor(context: PortalContext, retransmissions: Retransmissions, salt: number, onTcpPacket: TcpPacketListener) {
    this.#context = context;
    this.retransmissions = retransmissions;
    this.#onTcpPacket = onTcpPacket;
    this.control = new ControlMessages(context, retransmissions);
    this.duplicates = new Duplicates(context.pool, context.paths.list);
    this.resends = new ResendPolicy(context, retransmissions, this.records);
    this.fragmenter = new Fragmenter(context);
    this.#flows = new Flows(salt);
    this.#toHost = new Ring(64);
    this.#isOrdering = context.settings.scheduling !== "greedy";
  }

  /** Takes an IP packet from the host, and its slot with it. */
  handlePacket(now: Micros, slot: Slot): void {
    const context = this.#context;
    const { pool, settings, queue } = context;
    const start = pool.start[slot] as number;
    const parsed = this.#parsed;
    if (!parsed.parse(pool.view, start, pool.length[slot] as number)) return drop(context, slot, "packet-malformed");
    const refusal = context.allowedIps.checkOutbound(pool, start, parsed);
    if (refusal !== 0) return dropFor(context, slot, refusal);
    pool.length[slot] = parsed.length;
    if (parsed.length > settings.mtu) return this.#refuseTooBig(slot);
    if (parsed.protocol === PROTOCOL.TCP) {
      const isPartial = ((pool.flags[slot] as number) & PACKET_FLAG.CHECKSUM_PARTIAL) !== 0;
      clampMss(pool.view, start, parsed, settings.mtu, isPartial);
    }
    const traffic = classify(pool.view, start, parsed);
    const bucket = this.#flows.recognise(pool, slot, parsed, traffic);
    if (traffic === TRAFFIC.STREAM) {
      this.#noteHandshake(now, handshakeStep(pool.view, start, parsed), bucket, context.estimate.rtt);
      if (this.#isOrdering) this.#onTcpPacket(now, slot, parsed);
    }
    pool.time[slot] = now;
    const reason = queue.push(now, slot, parsed.length);
    if (reason !== 0) return dropFor(context, slot, reason);
    this.#flows.assign(pool, slot);
    const isBulk = queue.isBulk(bucket);
    pool.class[slot] = this.#isOrdering ? deliveryClass(traffic, isBulk) : CLASS.FLEETING;
    if (!isBulk) pool.flags[slot] = (pool.flags[slot] as number) | PACKET_FLAG.SPARSE;
    context.activity.lastPacketAt = now;
    this.packets++;
    this.bytes += parsed.length;
  }

  /** Begins every flow anew, those in the queue included, as the peer is new. */
  restartFlows(): void {
    const { pool, queue } = this.#context;
    this.#flows.reset();
    this.duplicates.clear();
    queue.each((slot) => this.#flows.assign(pool, slot));
  }

  /** Learns the round-trip time to the host of a TCP packet from the network, if that belongs to a handshake. */
  handleArrival(now: Micros, start: number, parsed: ParsedHeader): void {
    const { view } = this.#context.pool;
    const step = handshakeStep(view, start, parsed);
    if (step !== 0) this.#noteHandshake(now, step, this.#flows.answerBucket(view, start, parsed), 0);
  }

  /** @param beyond round-trip time between the hosts that was not measured, as it lies beyond this end */
  #noteHandshake(now: Micros, step: number, bucket: number, beyond: Micros): void {
    if (step === 0) return;
    const rtt = this.#handshakes.note(now, step, bucket);
    if (rtt > 0) this.#context.queue.perFlow?.learnRtt(bucket, rtt + beyond);
  }

  #refuseTooBig(slot: Slot): void {
    const { pool, settings } = this.#context;
    if (turnIntoTooBig(pool, slot, settings.mtu) && this.#toHost.push(slot)) return;
    drop(this.#context, slot, "packet-too-big");
  }

  /** Appends ICMP errors for the host to `out`; their slots are then the caller's. */
  pollErrors(out: PacketBatch): void {
    this.#toHost.drainTo(out);
  }

  /** Appends the datagrams that `path` may send now to `out`; the sender releases their slots. */
  pollDatagrams(now: Micros, path: Path, out: PacketBatch): void {
    if (path.isBlocked || path.state === "exchanging" || path.state === "down") return;
    this.#pollControl(now, path, out);
    if (!path.isUp) return;
    if (!path.roaming.isProving) this.#pollMtuProbe(now, path, out);
    if (path.metric !== this.#context.paths.activeMetric) return;
    const { scheduler, queue, settings } = this.#context;
    const { resends } = this;
    const most = Math.min(MAX_FRAGMENTS, this.fragmenter.fragmentsOf(path, settings.mtu));
    const record = this.records.of(path);
    resends.prepare(path);
    record.isStarved = false;
    while (out.count + most <= out.capacity && path.maySend(now)) {
      let slot = resends.nextUrgent(now, path);
      if (slot < 0) slot = scheduler.next(now, path, queue);
      if (slot < 0) slot = resends.nextIdle(now, path);
      if (slot < 0) slot = this.#nextDuplicate(now, path, record);
      record.isStarved = slot < 0;
      if (slot < 0) break;
      this.#sendPacket(now, path, record, slot, out, resends.isRetransmission);
    }
    if (!record.isStarved) return;
    if (record.isTailAtRisk) this.#followUp(now, path, record, out);
    if (this.#isExplored(path, record)) this.#explore(now, path, record, out);
    else if (queue.bytes > FULL_BACKLOG && now - path.lastSentAt > Math.max(PROBE_INTERVAL, path.rtt.smoothed))
      path.isProbeWanted = true;
  }

  /** True if the path's rate is to be found with padding before it has a packet to send: other paths are full, so it soon will have. */
  #isExplored(path: Path, record: PathRecord): boolean {
    const { perFlow } = this.#context.queue;
    const isUnknown =
      path.isUp && path.isMeasured && !path.controller.isSettled && path.metric === this.#context.paths.activeMetric;
    if (!isUnknown || !perFlow || path.limits.isMetered || record.paddingBytes > MOST_EXPLORED) return false;
    return perFlow.bulk.bytes > FULL_BACKLOG && path.controller.estimate < EXPLORED_SHARE * this.#context.estimate.rate;
  }

  /** Sends padding, as much as `path` may send. */
  #explore(now: Micros, path: Path, record: PathRecord, out: PacketBatch): void {
    const { pool, overhead } = this.#context;
    while (!out.isFull && path.maySend(now)) {
      const slot = pool.take();
      if (slot === NO_SLOT) return;
      this.control.writePadding(slot, path.mtu - HEADER_SIZE - overhead);
      record.paddingBytes += path.mtu;
      path.seal(now, pool, slot, true);
      out.push(slot);
    }
  }

  /** Sends a probe, as nothing else follows that would reveal the loss of the last packet. */
  #followUp(now: Micros, path: Path, record: PathRecord, out: PacketBatch): void {
    record.isTailAtRisk = false;
    path.isProbeWanted = true;
    this.#pollControl(now, path, out);
  }

  #nextDuplicate(now: Micros, path: Path, record: PathRecord): Slot {
    const slot = this.duplicates.next(now, path);
    if (slot !== NO_SLOT) record.duplicates++;
    return slot;
  }

  #sendPacket(
    now: Micros,
    path: Path,
    record: PathRecord,
    slot: Slot,
    out: PacketBatch,
    isRetransmission: boolean,
  ): void {
    const { retransmissions } = this;
    const { pool } = this.#context;
    const fragments = this.fragmenter.fragmentsOf(path, pool.length[slot] as number);
    if (fragments > 1 && !this.fragmenter.admits(slot, fragments)) return;
    const attempts = pool.attempts[slot] as number;
    const isPartial = ((pool.flags[slot] as number) & PACKET_FLAG.CHECKSUM_PARTIAL) !== 0;
    const isRedundant = attempts > 0 && !isRetransmission;
    const flags = (isPartial ? DATA_FLAG.CHECKSUM_PARTIAL : 0) | (isRedundant ? DATA_FLAG.REDUNDANT : 0);
    const isSparse = ((pool.flags[slot] as number) & PACKET_FLAG.SPARSE) !== 0;
    if (attempts === 0) pool.time[slot] = now;
    pool.attempts[slot] = attempts + 1;
    const kept = retransmissions.keep(slot, fragments);
    path.leaveOutNumber(now);
    if (fragments > 1) this.fragmenter.send(now, path, slot, fragments, flags, kept, out);
    else this.#sendWhole(now, path, slot, flags, kept, out);
    if (kept !== NO_SLOT && isSparse && attempts === 0) this.duplicates.offer(slot, path);
    else if (kept !== NO_SLOT) this.resends.offer(now, path, slot);
    if (isRetransmission) record.retransmissions++;
    if (isRetransmission || isLossy(path)) record.isTailAtRisk = true;
  }

  #sendWhole(now: Micros, path: Path, slot: Slot, flags: number, kept: number, out: PacketBatch): void {
    const { pool } = this.#context;
    // A packet that may be sent again stays as it is: its datagram is made in another slot.
    const isShared = pool.owners(slot) > 1;
    const datagram = isShared ? pool.take() : slot;
    if (datagram === NO_SLOT) return drop(this.#context, slot, "no-slot");
    const from = (pool.start[slot] as number) - DATA_SIZE;
    const bucket = pool.flow[slot] as number;
    writeData(pool.view, from, flags, bucket, pool.class[slot] as number, pool.sequence[slot] as number);
    pool.start[datagram] = isShared ? pool.datagramOrigin(datagram) : from - HEADER_SIZE;
    path.sealInto(now, pool, datagram, from, (pool.length[slot] as number) + DATA_SIZE, true, kept);
    out.push(datagram);
    if (isShared) pool.release(slot);
  }

  /** Sends a probe of the path's MTU, alone, so that nothing else is lost with it. */
  #pollMtuProbe(now: Micros, path: Path, out: PacketBatch): void {
    const size = path.pathMtu.due(now);
    if (size === 0 || out.isFull) return;
    const { pool, overhead } = this.#context;
    const slot = pool.take();
    if (slot === NO_SLOT) return;
    this.control.writePadded(slot, size - HEADER_SIZE - overhead);
    path.sealMtuProbe(now, pool, slot);
    out.push(slot);
  }

  #pollControl(now: Micros, path: Path, out: PacketBatch): void {
    if (out.isFull) return;
    const due = this.control.due(now, path);
    if (due === 0) return;
    const slot = this.#context.pool.take();
    if (slot === NO_SLOT) return;
    this.control.write(now, path, slot, due);
    path.seal(now, this.#context.pool, slot, (due & (DUE.PROBE | DUE.REKEY)) !== 0);
    out.push(slot);
  }

  /** Returns when `pollDatagrams` next has something for `path` that it has not now. */
  deadline(now: Micros, path: Path): Micros {
    let at = path.deadline();
    if (path.isBlocked) return at;
    if (path.isUp && !path.roaming.isProving)
      at = Math.min(at, this.control.keepAliveAt(now, path), path.pathMtu.dueAt);
    if (this.control.relaysAcks(now, path)) return now;
    const { queue } = this.#context;
    const record = this.records.of(path);
    const mayCarry = path.isUp && path.metric === this.#context.paths.activeMetric;
    const resendAt = this.resends.dueAt();
    if (mayCarry && resendAt > now) at = Math.min(at, resendAt);
    const waits = queue.length > 0 || resendAt <= now;
    const isWanted =
      mayCarry && ((waits && !record.isStarved) || this.duplicates.wants(now, path) || this.#isExplored(path, record));
    return isWanted ? Math.min(at, path.maySendAt(now)) : at;
  }

  /** Returns the path that a single packet would take now. */
  best(): Path | undefined {
    const carrying = this.#context.paths.list.filter(
      (path) => path.isUp && path.metric === this.#context.paths.activeMetric,
    );
    return carrying.reduce<Path | undefined>((a, b) => (a && a.arrival <= b.arrival ? a : b), undefined);
  }

  get hasErrors(): boolean {
    return this.#toHost.length > 0;
  }
}

/** Returns how the far end is to deliver a packet: in order, if its host would otherwise take packets for lost. */
function deliveryClass(traffic: number, isBulk: boolean): number {
  if (traffic === TRAFFIC.STREAM) return CLASS.ORDERED;
  if (traffic === TRAFFIC.REALTIME) return CLASS.REALTIME;
  if (traffic === TRAFFIC.ACKNOWLEDGEMENT) return CLASS.FLEETING;
  return traffic === TRAFFIC.ORDINARY && isBulk ? CLASS.ORDERED : CLASS.IMMEDIATE;
}
