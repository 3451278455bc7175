/**
 * The reasons for which a packet or datagram is dropped, each with a counter that `netcombiner show` prints.
 * A reason is never removed or reused; new ones are appended.
 */
export const DROP_REASONS = [
  "none",
  "packet-malformed",
  "packet-too-big",
  "queue-full",
  "no-slot",
  "datagram-truncated",
  "datagram-version",
  "datagram-foreign",
  "datagram-forged",
  "datagram-replayed",
  "datagram-address",
  "message-malformed",
  "exchange-forged",
  "exchange-unexpected",
  "exchange-limited",
  "send-failed",
  "sink-full",
  "sequence-duplicate",
  "queue-delay",
  "fragment-incomplete",
  "datagram-too-big",
  "exchange-replayed",
  "connection-evicted",
  "packet-neighbour",
  "packet-source",
  "packet-destination",
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** The index of each reason in a table of counters. */
export const DROP = Object.fromEntries(DROP_REASONS.map((reason, i) => [reason, i])) as Record<DropReason, number>;

/** One counter per reason. */
export class DropCounters {
  readonly counts = new Float64Array(DROP_REASONS.length);

  /** @param reason an index of `DROP` */
  count(reason: number, packets = 1): void {
    this.counts[reason] = (this.counts[reason] as number) + packets;
  }

  of(reason: DropReason): number {
    return this.counts[DROP[reason]] as number;
  }

  /** Returns the reasons that occurred, with their counts. */
  snapshot(): Partial<Record<DropReason, number>> {
    const out: Partial<Record<DropReason, number>> = {};
    for (const reason of DROP_REASONS) if (this.of(reason) > 0) out[reason] = this.of(reason);
    return out;
  }
}
