// @hot
/** Turns acknowledgements into what the congestion controller learns from: the peer's counters unwrapped, delay and round-trip time beside them. */
import type { Micros } from "../clock.ts";
import type { AckSample } from "../congestion/controller.ts";
import type { Ack } from "../wire/ack.ts";
import type { SettledDatagrams } from "./loss.ts";
import type { OneWayDelay } from "./one-way-delay.ts";
import type { Rtt } from "./rtt.ts";
import type { SentPackets } from "./sent-packets.ts";

export class AckSampler {
  /** The peer's counters of the newest report, as they travel: modulo 2^32. */
  #rawBytes = 0;
  #rawTime = 0;
  readonly #sample: AckSample = {
    now: 0,
    bytes: 0,
    packets: 0,
    rtt: 0,
    smoothedRtt: 0,
    minRtt: 0,
    sentAt: 0,
    priorInFlight: 0,
    inFlight: 0,
    largest: -1,
    latest: -1,
    receivedBytes: 0,
    receivedAt: 0,
    ackDelay: 0,
    delay: 0,
    sentBytes: 0,
    jitter: 0,
  };

  /** Notes a report that is newer than all before, after `delay` has learned from it. `latest` is the datagram that arrived last. */
  note(ack: Ack, latest: number, sent: SentPackets, delay: OneWayDelay): void {
    const sample = this.#sample;
    const time = (ack.receivedAt + ack.delay) >>> 0;
    if (sample.largest >= 0) {
      sample.receivedBytes += (ack.bytes - this.#rawBytes) >>> 0;
      sample.receivedAt += (time - this.#rawTime) >>> 0;
    }
    this.#rawBytes = ack.bytes;
    this.#rawTime = time;
    sample.largest = sent.largestReported;
    sample.latest = latest;
    sample.ackDelay = ack.delay;
    sample.sentBytes = sent.totalAt(latest);
    sample.delay = delay.latest;
    sample.jitter = delay.jitter;
  }

  /** Returns the sample of an acknowledgement that settled datagrams; it is reused. */
  sampleOf(now: Micros, settled: SettledDatagrams, sent: SentPackets, rtt: Rtt, priorInFlight: number): AckSample {
    const sample = this.#sample;
    sample.now = now;
    sample.bytes = settled.ackedBytes;
    sample.packets = settled.ackedPackets;
    sample.rtt = rtt.latest;
    sample.smoothedRtt = rtt.smoothed;
    sample.minRtt = rtt.min;
    sample.sentAt = sent.sentAt(settled.largestAcked);
    sample.priorInFlight = priorInFlight;
    sample.inFlight = sent.bytesInFlight;
    return sample;
  }
}
