/** The demonstration's picture: bars for the means, and the two transfers with a cut over time. */
import type { Bulk, Way } from "./traffic.ts";

export interface DemoRun {
  readonly kind: "alone" | "tunnel" | "cut";
  readonly way: Way;
  readonly bulk: Bulk;
}

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const WIDTH = 960;
const HEIGHT = 520;
const BARS: Frame = { left: 60, top: 90, width: 250, height: 360 };
const COLOURS = { down: "#2266aa", up: "#dd8822", grid: "#dddddd", cut: "#f4dcdc", text: "#333333" } as const;
const WAY_NAMES: Readonly<Record<Way, string>> = { down: "Download", up: "Upload" };

/** @param rate of one link in Mbit/s; @param cut when link 2 goes and returns, seconds */
export function demoSvg(runs: readonly DemoRun[], rate: number, cut: readonly [number, number]): string {
  const full = 2 * rate;
  const cuts = runs.filter((run) => run.kind === "cut");
  const panels = cuts.map((run, i) => panel(run, { left: 390, top: 90 + i * 200, width: 530, height: 160 }, full, cut));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" fill="${COLOURS.text}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="24" y="34" font-size="20" font-weight="bold">One TCP flow over two ${rate} Mbit/s links</text>`,
    `<text x="24" y="56">Goodput in Mbit/s at the receiver; 10 ms round trip each; on the right link 2 is cut in the shaded time.</text>`,
    bars(runs, full),
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function bars(runs: readonly DemoRun[], full: number): string {
  const shown = (["alone", "tunnel"] as const).flatMap((kind) =>
    (["down", "up"] as const).flatMap((way) => runs.find((run) => run.kind === kind && run.way === way) ?? []),
  );
  const y = (mbits: number) => BARS.top + BARS.height * (1 - mbits / full);
  const drawn = shown.map((run, i) => {
    const x = BARS.left + 15 + i * 58 + (i > 1 ? 14 : 0);
    const top = y(run.bulk.steadyMbits);
    const height = BARS.top + BARS.height - top;
    return [
      `<rect x="${x}" y="${top.toFixed(1)}" width="44" height="${height.toFixed(1)}" fill="${COLOURS[run.way]}"/>`,
      `<text x="${x + 22}" y="${(top - 6).toFixed(1)}" text-anchor="middle">${run.bulk.steadyMbits.toFixed(1)}</text>`,
      `<text x="${x + 22}" y="${BARS.top + BARS.height + 18}" text-anchor="middle" font-size="11">${WAY_NAMES[run.way]}</text>`,
    ].join("\n");
  });
  const label = (text: string, x: number) =>
    `<text x="${x}" y="${BARS.top + BARS.height + 38}" text-anchor="middle" font-weight="bold">${text}</text>`;
  return [grid(BARS, full), ...drawn, label("one link", BARS.left + 66), label("tunnel", BARS.left + 196)].join("\n");
}

function panel(run: DemoRun, frame: Frame, full: number, [from, to]: readonly [number, number]): string {
  const { series } = run.bulk;
  const seconds = Math.ceil(series.at(-1)?.seconds ?? 1);
  const x = (time: number) => frame.left + (frame.width * time) / seconds;
  const y = (mbits: number) => frame.top + frame.height * (1 - Math.min(full, mbits) / full);
  const points = series.map((point) => `${x(point.seconds).toFixed(1)},${y(point.mbits).toFixed(1)}`).join(" ");
  const ticks = Array.from({ length: Math.floor(seconds / 2) + 1 }, (_, i) => 2 * i).map(
    (time) =>
      `<text x="${x(time)}" y="${frame.top + frame.height + 16}" text-anchor="middle" font-size="11">${time} s</text>`,
  );
  return [
    `<rect x="${x(from)}" y="${frame.top}" width="${x(to) - x(from)}" height="${frame.height}" fill="${COLOURS.cut}"/>`,
    grid(frame, full),
    `<polyline points="${points}" fill="none" stroke="${COLOURS[run.way]}" stroke-width="2"/>`,
    `<text x="${frame.left}" y="${frame.top - 6}" font-weight="bold">${WAY_NAMES[run.way]} through the tunnel</text>`,
    ...ticks,
  ].join("\n");
}

function grid({ left, top, width, height }: Frame, full: number): string {
  return [0, 0.25, 0.5, 0.75, 1]
    .map((share) => {
      const y = top + height * (1 - share);
      return [
        `<line x1="${left}" y1="${y}" x2="${left + width}" y2="${y}" stroke="${COLOURS.grid}"/>`,
        `<text x="${left - 6}" y="${y + 4}" text-anchor="end" font-size="11">${(share * full).toFixed(0)}</text>`,
      ].join("\n");
    })
    .join("\n");
}
