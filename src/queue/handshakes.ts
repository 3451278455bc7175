/**
 * Measures the round-trip time between a TCP flow's hosts while it connects: from a SYN that passes to the SYN with ACK that answers it.
 * There is one place per bucket; of flows that share one, the last counts.
 */
import type { Micros } from "../clock.ts";
import type { ParsedHeader } from "../wire/ip.ts";
import { TCP_FLAG, TCP_HEADER, TCP_PURPOSE, tcpFlags } from "../wire/tcp-header.ts";

const { SYN } = TCP_FLAG;
const SYN_ACK = SYN | TCP_FLAG.ACK;
/** Longest time from SYN to answer, µs: a host repeats its SYN after a second, and a later answer may be to either. */
const LATEST: Micros = 900_000;

/** Returns the flags of a TCP packet that is a step of a handshake, 0 for any other. */
export function handshakeStep(view: DataView, start: number, parsed: ParsedHeader): number {
  if (parsed.isFragment || parsed.transport + TCP_HEADER > parsed.length) return 0;
  const flags = tcpFlags(view, start + parsed.transport) & TCP_PURPOSE;
  return flags === SYN || flags === SYN_ACK ? flags : 0;
}

export class Handshakes {
  readonly #asked: Float64Array;

  /** @param buckets of the flows of either direction */
  constructor(buckets: number) {
    this.#asked = new Float64Array(buckets);
  }

  /**
   * Notes a step of a handshake.
   * @param step of `handshakeStep`
   * @param bucket of the flow from this end's host, whichever way the packet goes
   * @returns the time from SYN to answer, µs; 0 if this answers nothing known
   */
  note(now: Micros, step: number, bucket: number): Micros {
    if (step === SYN) {
      this.#asked[bucket] = now;
      return 0;
    }
    const asked = this.#asked[bucket] as number;
    this.#asked[bucket] = 0;
    return asked > 0 && now - asked < LATEST ? now - asked : 0;
  }
}
