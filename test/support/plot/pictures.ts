/** Whole pictures: bars of both directions side by side, and panels of lines in a grid. */
import type { BarGroup } from "./bars.ts";
import { barsHeight, drawBars } from "./bars.ts";
import { drawDocument, HEAD_HEIGHT, type LegendEntry, MARGIN } from "./document.ts";
import { drawPanel, type Panel } from "./panel.ts";
import type { Axis } from "./scale.ts";

const WIDTH = 960;
/** Room for the names of groups, and for numbers at an axis. */
const NAMES = 96;
const NUMBERS = 40;
const FOOT = 44;
const PANEL_HEAD = 26;
const SOURCE = 26;

export interface Words {
  readonly title: string;
  readonly note: string;
  readonly source: string;
  readonly legend: readonly LegendEntry[];
}

/** Returns two panels with the same groups, names at the left one. */
export function barsPicture(
  words: Words,
  axis: Axis,
  panels: readonly { readonly title: string; readonly groups: readonly BarGroup[] }[],
): string {
  const width = (WIDTH - 2 * MARGIN - NAMES - (panels.length - 1) * MARGIN) / panels.length;
  const top = HEAD_HEIGHT + PANEL_HEAD;
  const body = panels.map(({ title, groups }, i) =>
    drawBars(
      { left: MARGIN + NAMES + i * (width + MARGIN), top, width, height: barsHeight(groups) },
      { title, axis, groups, hasNames: i === 0 },
    ),
  );
  const tallest = Math.max(...panels.map(({ groups }) => barsHeight(groups)));
  return drawDocument({ ...words, width: WIDTH, height: top + tallest + FOOT + SOURCE, body });
}

/** Panels in rows of `columns`, each `height` pixels high. */
export function panelsPicture(words: Words, panels: readonly Panel[], columns: number, height: number): string {
  const width = (WIDTH - 2 * MARGIN - columns * NUMBERS - (columns - 1) * MARGIN) / columns;
  const rowHeight = PANEL_HEAD + height + FOOT;
  const body = panels.map((panel, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const left = MARGIN + NUMBERS + column * (width + NUMBERS + MARGIN);
    return drawPanel({ left, top: HEAD_HEIGHT + PANEL_HEAD + row * rowHeight, width, height }, panel);
  });
  const rows = Math.ceil(panels.length / columns);
  return drawDocument({ ...words, width: WIDTH, height: HEAD_HEIGHT + rows * rowHeight + SOURCE, body });
}
