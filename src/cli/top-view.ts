/** Renders the screen of `top` for a terminal of a given size, from the newest reports and the rates before them. Pure. */
import { carrying, linkWord, queueingDelay } from "../monitor/derived.ts";
import type { Finding } from "../monitor/finding.ts";
import { findings } from "../monitor/health.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import { formatCount, formatMillis, formatRate, formatSeconds, formatShare } from "../monitor/units.ts";
import type { LinkSnapshot } from "../portal/snapshot.ts";
import type { Colours } from "./colour.ts";

/** Seconds that are remembered: the columns of the widest sparkline. */
const MEMORY = 240;
const BARS = "▁▂▃▄▅▆▇█";
/** Widths in columns: the name, the bar, and a rate with its unit. */
const NAME = 14;
const BAR = 20;
const RATE = 14;
/** Smallest rate that fills a bar, bytes per second (0.1 Mbit/s), so that an idle link does not look busy. */
const SMALLEST_SCALE = 12_500;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

type Direction = "received" | "sent";

/** Remembers the rates of every link in the last minutes, bytes per second, the newest last. */
export class RateHistory {
  readonly #links = new Map<string, Record<Direction, number[]>>();

  note(reports: readonly TunnelReport[]): void {
    const seen = new Set<string>();
    for (const { interface: name, snapshot } of reports) {
      for (const link of snapshot.links) {
        const key = `${name}/${link.name}`;
        seen.add(key);
        const past = this.#links.get(key) ?? { received: [], sent: [] };
        for (const direction of ["received", "sent"] as const) {
          past[direction].push(rateOf(link, direction));
          if (past[direction].length > MEMORY) past[direction].shift();
        }
        this.#links.set(key, past);
      }
    }
    for (const key of this.#links.keys()) if (!seen.has(key)) this.#links.delete(key);
  }

  of(interfaceName: string, link: string, direction: Direction): readonly number[] {
    return this.#links.get(`${interfaceName}/${link}`)?.[direction] ?? [];
  }
}

/** Returns at most `rows` lines of at most `columns` columns each. */
export function renderTop(
  reports: readonly TunnelReport[],
  history: RateHistory,
  { columns, rows }: Size,
  c: Colours,
  notice = "",
): string[] {
  const body = reports.flatMap((report) => [...tunnelLines(report, history, columns, c), ""]);
  const health = reports.flatMap((report) => findings(report).map((found) => healthLine(found, c)));
  const footer = [...(notice === "" ? [] : [c.red(notice)]), `${c.bold("q")} quit`];
  // Findings matter more than the last links, so they may take half of the screen.
  const room = Math.max(0, rows - footer.length);
  const healthRoom = Math.min(health.length, Math.max(Math.floor(room / 2), room - body.length));
  const shown = body.slice(0, room - healthRoom);
  const filler = new Array<string>(Math.max(0, room - healthRoom - shown.length)).fill("");
  return [...shown, ...filler, ...health.slice(0, healthRoom), ...footer]
    .slice(0, rows)
    .map((line) => clip(line, columns));
}

function tunnelLines(report: TunnelReport, history: RateHistory, columns: number, c: Colours): string[] {
  const { interface: name, snapshot, uptime } = report;
  const total = (direction: Direction) =>
    formatRate(snapshot.links.reduce((sum, link) => sum + rateOf(link, direction), 0));
  const links = formatCount(snapshot.links.length, "link");
  const active = snapshot.links.filter((link) => linkWord(link) === "carrying").length;
  return [
    `${c.bold(c.green(name))}  in ${c.bold(total("received"))}  out ${c.bold(total("sent"))}  ${active} of ${links} carrying  up ${formatSeconds(uptime)}`,
    ...snapshot.links.flatMap((link) => linkLines(report, link, history, columns, c)),
  ];
}

function linkLines(
  { interface: name, snapshot }: TunnelReport,
  link: LinkSnapshot,
  history: RateHistory,
  columns: number,
  c: Colours,
) {
  const word = linkWord(link);
  const state = isGood(word) ? c.green(word) : c.red(word);
  const scale = scaleOf(snapshot.links, history, name);
  const rates = (["received", "sent"] as const).map((direction) => {
    const rate = rateOf(link, direction);
    const label = direction === "received" ? "in " : "out";
    const past = history.of(name, link.name, direction);
    const line = sparkline(past, columns - NAME - RATE - BAR - 8);
    return `${label} ${bar(rate / scale)} ${formatRate(rate).padStart(RATE)}  ${direction === "received" ? c.green(line) : c.yellow(line)}`;
  });
  return [
    `  ${c.bold(link.name.padEnd(NAME - 2))}  ${state}  ${figures(link)}`,
    ...rates.map((text) => `${" ".repeat(NAME)}${text}`),
  ];
}

function figures(link: LinkSnapshot): string {
  const [path] = link.paths.filter((one) => one.state === "up");
  if (!path) return link.reason;
  const standby = carrying({ links: [link] }).length === 0 ? `, metric ${path.metric}` : "";
  const rtt =
    path.rtt.smoothed === 0
      ? "not measured yet"
      : `${formatMillis(path.rtt.smoothed)}, queueing delay ${formatMillis(queueingDelay(path))}`;
  return `rtt ${rtt}, loss ${formatShare(path.loss)}${standby}`;
}

/** Returns the rate that fills a bar: the highest seen, the same for all links of a tunnel so that their bars compare. */
function scaleOf(links: readonly LinkSnapshot[], history: RateHistory, name: string): number {
  const seen = links.flatMap((link) => [
    ...history.of(name, link.name, "received"),
    ...history.of(name, link.name, "sent"),
  ]);
  return Math.max(
    SMALLEST_SCALE,
    ...links.flatMap((link) => [rateOf(link, "received"), rateOf(link, "sent")]),
    ...seen,
  );
}

function bar(share: number): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * BAR);
  return "█".repeat(full) + "░".repeat(BAR - full);
}

/** Returns the newest `width` values as bars, relative to the highest of them. */
export function sparkline(values: readonly number[], width: number): string {
  if (width < 1) return "";
  const shown = values.slice(-width);
  const highest = Math.max(SMALLEST_SCALE, ...shown);
  return shown.map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / highest) * BARS.length))]).join("");
}

function healthLine({ severity, subject, text }: Finding, c: Colours): string {
  const paint = { problem: c.red, warning: c.yellow, note: (plain: string) => plain };
  return paint[severity](`${severity}: ${subject}: ${text}`);
}

function isGood(word: string): boolean {
  return word === "carrying" || word === "standby" || word === "listening";
}

function rateOf(link: LinkSnapshot, direction: Direction): number {
  return link.paths.reduce((sum, path) => sum + path.rate[direction], 0);
}

/** Cuts a line to `columns`, not counting escape sequences; those behind the cut are kept, so that colours end with the line. */
export function clip(line: string, columns: number): string {
  if (Bun.stringWidth(line) <= columns) return line;
  let [out, width] = ["", 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  for (const [piece, sequence] of line.matchAll(/(\x1b\[[\d;]*m)|[\s\S]/gu)) {
    const next = sequence === undefined ? width + Bun.stringWidth(piece) : width;
    if (next > columns) continue;
    out += piece;
    width = next;
  }
  return out;
}
