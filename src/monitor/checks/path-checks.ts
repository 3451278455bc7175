/** Checks paths: does each answer, without long queues and without much loss? */
import { MICROS_PER_MILLI } from "../../clock.ts";
import type { PathSnapshot } from "../../portal/snapshot.ts";
import { queueingDelay, shareLost, shareMissing } from "../derived.ts";
import type { Check, Finding, Severity } from "../finding.ts";
import { formatAge, formatBytes, formatMillis, formatShare } from "../units.ts";

/** Round-trip time, in multiples of the smallest and in microseconds above it, from which on a queue is to blame and not the line. */
const BLOAT_FACTOR = 3;
const BLOAT_ABOVE = 80 * MICROS_PER_MILLI;
/** Rate below which a path counts as idle, bytes per second: probes and acknowledgements stay below. */
const IDLE_RATE = 16_000;

/** Share of lost datagrams from which on TCP inside the tunnel slows down. */
const LOSS = 0.01;
/** Datagrams below which a share of them says little. */
const LOSS_SAMPLE = 1_000;

export const PATH_CHECKS: readonly Check[] = [pathSuspect, bufferbloat, lossSent, lossReceived];

function eachPath(report: Parameters<Check>[0], look: (path: PathSnapshot) => Omit<Finding, "subject"> | undefined) {
  return report.snapshot.links.flatMap(({ paths }) =>
    paths.flatMap((path): Finding[] => {
      const found = look(path);
      return found ? [{ ...found, subject: path.name }] : [];
    }),
  );
}

/** Reports a path that does not answer. */
export function pathSuspect(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) =>
    path.state !== "suspect"
      ? undefined
      : {
          severity: "problem",
          check: "path-suspect",
          text: `suspect for ${formatAge(path.age)}: ${path.reason}`,
          advice: "traffic uses the other links meanwhile; if it happens again and again, try a shorter KeepAlive",
        },
  );
}

/** Reports a long queue between the portals. */
export function bufferbloat(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) => {
    const { rtt, rate, state } = path;
    const isLong = queueingDelay(path) >= BLOAT_ABOVE && rtt.smoothed >= BLOAT_FACTOR * rtt.min;
    if (state !== "up" || rtt.min === 0 || !isLong) return undefined;
    const isIdle = rate.sent + rate.received < IDLE_RATE;
    const text = `round-trip time is ${(rtt.smoothed / rtt.min).toFixed(1)} times the smallest (${formatMillis(rtt.smoothed)}, smallest ${formatMillis(rtt.min)})`;
    return {
      severity: "warning",
      check: "bufferbloat",
      text: isIdle
        ? `${text} while the path is idle: bufferbloat in the provider's network`
        : `${text} under load: bufferbloat`,
      advice: isIdle
        ? "other traffic fills a queue on this line; shape it, or raise Metric to keep the link on standby"
        : "keep Congestion = rate, and shape other traffic that uses this line beside the tunnel",
    };
  });
}

const LOSS_ADVICE =
  "lost packets are retransmitted, which costs time: check signal, cable and duplex mode, and whether the provider polices the rate";

/** Reports a path that loses our datagrams, now or over its lifetime. */
export function lossSent(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) => {
    const { state, loss, sent } = path;
    const total = sent.packets < LOSS_SAMPLE ? 0 : shareLost(path);
    if (state !== "up" || (loss < LOSS && total < LOSS)) return undefined;
    return {
      severity: severityOf(Math.max(loss, total)),
      check: "loss-sent",
      text: `loses ${formatShare(loss)} of the datagrams sent now, ${formatShare(shareLost(path))} of all`,
      advice: LOSS_ADVICE,
    };
  });
}

/** Reports a path that loses the peer's datagrams. */
export function lossReceived(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) => {
    const { state, received } = path;
    const share = shareMissing(path);
    if (state !== "up" || received.packets < LOSS_SAMPLE || share < LOSS) return undefined;
    return {
      severity: severityOf(share),
      check: "loss-received",
      text: `${formatShare(share)} of the peer's datagrams did not arrive (${formatBytes(received.bytes)} did)`,
      advice: LOSS_ADVICE,
    };
  });
}

function severityOf(share: number): Severity {
  return share >= 0.05 ? "warning" : "note";
}
