/** Health of paths: does each answer, soon, and without losing much? */
import { MICROS_PER_MILLI } from "../../clock.ts";
import type { PathSnapshot } from "../../portal/snapshot.ts";
import { addedDelay, lossSent as shareLost, lossReceived as shareMissing } from "../derived.ts";
import type { Check, Finding, Severity } from "../finding.ts";
import { formatAge, formatBytes, formatMillis, formatShare } from "../units.ts";

/** A round trip this many times the smallest, and this much above it, is a queue and not the line. */
const BLOAT_FACTOR = 3;
const BLOAT_ABOVE = 80 * MICROS_PER_MILLI;
/** Bytes per second below which a path counts as idle: probes and acknowledgements. */
const IDLE_RATE = 16_000;

/** Losses that TCP inside notices. */
const LOSS = 0.01;
/** Of fewer datagrams a share says little. */
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

export function pathSuspect(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) =>
    path.state !== "suspect"
      ? undefined
      : {
          severity: "problem",
          check: "path-suspect",
          text: `does not answer for ${formatAge(path.age)}: ${path.reason}`,
          advice: "traffic goes over the other links meanwhile; if it happens again and again, try a shorter KeepAlive",
        },
  );
}

/** Somebody's queue between the portals is long. */
export function bufferbloat(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) => {
    const { rtt, rate, state } = path;
    const isLong = addedDelay(path) >= BLOAT_ABOVE && rtt.smoothed >= BLOAT_FACTOR * rtt.min;
    if (state !== "up" || rtt.min === 0 || !isLong) return undefined;
    const isIdle = rate.sent + rate.received < IDLE_RATE;
    const text = `round trip is ${(rtt.smoothed / rtt.min).toFixed(1)} times the smallest (${formatMillis(rtt.smoothed)}, smallest ${formatMillis(rtt.min)})`;
    return {
      severity: "warning",
      check: "bufferbloat",
      text: isIdle ? `${text} while idle: bufferbloat at the carrier` : `${text} under load: bufferbloat`,
      advice: isIdle
        ? "other traffic fills the queue of this line; shape it, or raise Metric to keep the link in reserve"
        : "keep Congestion = rate, and shape other traffic that uses this line beside the tunnel",
    };
  });
}

const LOSS_ADVICE =
  "losses are retransmitted, at a price: check signal, cable and duplex, and whether the provider polices the rate";

/** Our datagrams that did not arrive: now, or over the path's life. */
export function lossSent(report: Parameters<Check>[0]): Finding[] {
  return eachPath(report, (path) => {
    const { state, loss, sent } = path;
    const total = sent.packets < LOSS_SAMPLE ? 0 : shareLost(path);
    if (state !== "up" || (loss < LOSS && total < LOSS)) return undefined;
    return {
      severity: severityOf(Math.max(loss, total)),
      check: "loss-sent",
      text: `loses ${formatShare(loss)} of what is sent now, ${formatShare(shareLost(path))} in all`,
      advice: LOSS_ADVICE,
    };
  });
}

/** The peer's datagrams that did not arrive here. */
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
