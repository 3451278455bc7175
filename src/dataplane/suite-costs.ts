/** Measures at start how much time the suites that `Security = auto` chooses from take on this machine. */
import { monotonicMicros } from "../../ffi/monotonic-clock.ts";
import { PacketPool } from "../memory/packet-pool.ts";
import type { Ciphers } from "../ports.ts";
import { AUTO_SUITES, createSuite, type SuiteCosts } from "../security/offer.ts";
import type { Security } from "../security/security.ts";
import type { SecuritySuite } from "../security/suite.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";

/** Bytes of the datagram whose cost a hello tells. */
const LENGTH = 1_400;
/** Time for each suite: until its code is compiled, then to find the shortest run, as a busy machine only makes runs longer. */
const WARM_UP_MICROS = 10_000;
const MEASURE_MICROS = 10_000;
const RUN = 8;

export function measureSuites(ciphers: Ciphers): SuiteCosts {
  return Object.fromEntries(AUTO_SUITES.map((name) => [name, costOf(createSuite(name, ciphers))]));
}

/** Returns the nanoseconds to seal or open one datagram. */
function costOf(suite: SecuritySuite): number {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const use = { send: key, receive: key, sendIndex: 1, receiveIndex: 1, peerRun: "" };
  const security = suite.create(use);
  const pool = new PacketPool(1, LENGTH);
  runsFor(WARM_UP_MICROS, pool, security);
  return Math.round((runsFor(MEASURE_MICROS, pool, security) * 1_000) / (2 * RUN));
}

/** Repeats runs for `micros`, three at least; returns the microseconds of the shortest. */
function runsFor(micros: number, pool: PacketPool, security: Security): number {
  const end = monotonicMicros() + micros;
  let best = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < 3 || monotonicMicros() < end; runs++) {
    const began = monotonicMicros();
    for (let i = 0; i < RUN; i++) sealAndOpen(pool, security, i);
    best = Math.min(best, monotonicMicros() - began);
  }
  return best;
}

function sealAndOpen(pool: PacketPool, security: Security, packetNumber: number): void {
  const slot = pool.take();
  security.seal(
    pool,
    slot,
    packetNumber,
    (pool.start[slot] as number) + HEADER_SIZE,
    LENGTH - HEADER_SIZE - security.overhead,
  );
  security.open(pool, slot, packetNumber);
  pool.release(slot);
}
