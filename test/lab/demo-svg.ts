/** The demonstration's picture: bars for the means, and the two transfers with a cut over time. */
import { type Bar, type BarGroup, barsHeight, drawBars } from "../support/plot/bars.ts";
import { drawDocument, HEAD_HEIGHT } from "../support/plot/document.ts";
import { drawPanel, type Panel } from "../support/plot/panel.ts";
import type { Bulk, Way } from "./traffic.ts";

export interface DemoRun {
  readonly kind: "alone" | "tunnel" | "cut";
  readonly way: Way;
  readonly bulk: Bulk;
}

const WIDTH = 960;
const PANELS = { left: 430, width: 500, height: 120, rowHeight: 190 } as const;
const THICKNESS = 40;
const BARS = { left: 110, top: HEAD_HEIGHT + 40, width: 260 } as const;
const NAMES: Readonly<Record<Way, string>> = { down: "Download", up: "Upload" };

/** @param rate of one link in Mbit/s; @param cut when link 2 goes and returns, seconds */
export function demoSvg(runs: readonly DemoRun[], rate: number, cut: readonly [number, number]): string {
  const full = 2 * rate;
  const groups = (["down", "up"] as const).map((way) => barsOf(runs, way));
  const axis = { label: "Mbit/s", from: 0, to: 1.2 * full, ticks: 4 };
  const bars = drawBars(
    { ...BARS, height: barsHeight(groups, THICKNESS) },
    { title: "Mean", axis, groups, hasNames: true, thickness: THICKNESS },
  );
  const panels = runs
    .filter((run) => run.kind === "cut")
    .map((run, i) => drawPanel({ ...PANELS, top: BARS.top + i * PANELS.rowHeight }, panelOf(run, full, cut)));
  return drawDocument({
    title: `One TCP flow over two ${rate} Mbit/s links`,
    note: "Goodput at the receiver; 10 ms round trip each. On the right link 2 is cut in the shaded time.",
    source: "npm run demo",
    legend: [
      { tone: "tunnel", text: "tunnel over both links" },
      { tone: "alone", text: "one link alone" },
    ],
    width: WIDTH,
    height: BARS.top + 2 * PANELS.rowHeight,
    body: [bars, ...panels],
  });
}

function barsOf(runs: readonly DemoRun[], way: Way): BarGroup {
  const bars = (["tunnel", "alone"] as const).flatMap((kind): Bar[] => {
    const mbits = runs.find((run) => run.kind === kind && run.way === way)?.bulk.steadyMbits;
    return mbits === undefined ? [] : [{ tone: kind, low: mbits, median: mbits, high: mbits, text: mbits.toFixed(1) }];
  });
  return { name: NAMES[way], bars };
}

function panelOf({ way, bulk }: DemoRun, full: number, [from, to]: readonly [number, number]): Panel {
  return {
    title: `${NAMES[way]} through the tunnel`,
    x: { label: "seconds", from: 0, to: Math.ceil(bulk.series.at(-1)?.seconds ?? 1), ticks: 7 },
    y: { label: "Mbit/s", from: 0, to: full, ticks: 4 },
    marks: [
      { kind: "shade", from, to },
      { kind: "line", tone: "tunnel", points: bulk.series.map(({ seconds, mbits }) => [seconds, mbits] as const) },
    ],
  };
}
