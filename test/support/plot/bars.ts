/** Horizontal bars in groups with a name each, whiskers for quartiles, and a mark for what would be possible. */
import type { Spread } from "../statistics.ts";
import { escapeXml, px, type Tone } from "./document.ts";
import type { Frame } from "./panel.ts";
import { type Axis, place, ticksOf } from "./scale.ts";

export interface Bar extends Spread {
  readonly tone: Tone;
  /** Written at the right edge, level with the bar; default: nothing. */
  readonly text?: string;
}

export interface BarGroup {
  readonly name: string;
  readonly bars: readonly Bar[];
  /** A value across all bars of the group. */
  readonly limit?: number;
}

export interface BarPanel {
  readonly title: string;
  readonly axis: Axis;
  readonly groups: readonly BarGroup[];
  /** False where a panel to the left has the names already. */
  readonly hasNames: boolean;
  /** Pixels of a bar and of the gap between groups. */
  readonly thickness?: number;
}

const THICKNESS = 9;
/** From the middle of a letter to its foot, pixels. */
const HALF_LETTER = 4;

function groupHeight({ bars }: BarGroup, thickness: number): number {
  return (bars.length + 1) * thickness;
}

/** Returns the height of all groups of a panel. */
export function barsHeight(groups: readonly BarGroup[], thickness = THICKNESS): number {
  return groups.reduce((total, group) => total + groupHeight(group, thickness), 0);
}

export function drawBars(frame: Frame, panel: BarPanel): string {
  const { left, top, width } = frame;
  const { thickness = THICKNESS } = panel;
  const bottom = top + barsHeight(panel.groups, thickness);
  const x = (value: number) => place(panel.axis, value, left, left + width);
  const ticks = ticksOf(panel.axis).map(
    ({ at, text }) =>
      `<line class="grid" x1="${px(x(at))}" y1="${top - 4}" x2="${px(x(at))}" y2="${bottom}"/><text class="faint small" x="${px(x(at))}" y="${bottom + 15}" text-anchor="middle">${escapeXml(text)}</text>`,
  );
  let y = top;
  const groups = panel.groups.map((group) => {
    const drawn = drawGroup(group, { ...frame, top: y }, x, thickness, panel.hasNames);
    y += groupHeight(group, thickness);
    return drawn;
  });
  return [
    ...ticks,
    ...groups,
    `<text class="strong" x="${left}" y="${top - 14}">${escapeXml(panel.title)}</text>`,
    `<text class="faint small" x="${left + width}" y="${bottom + 31}" text-anchor="end">${escapeXml(panel.axis.label)}</text>`,
  ].join("\n");
}

function drawGroup(
  { name, bars, limit }: BarGroup,
  { left, top, width }: Frame,
  x: (value: number) => number,
  thickness: number,
  hasName: boolean,
): string {
  const right = left + width;
  const middle = top + (bars.length * thickness) / 2;
  const label = `<text x="${left - 8}" y="${px(middle + HALF_LETTER)}" text-anchor="end">${escapeXml(name)}</text>`;
  const drawn = bars.map(({ tone, low, median, high, text }, i) => {
    const y = top + i * thickness;
    const centre = px(y + (thickness - 1) / 2);
    const whisker = `<line class="whisker" x1="${px(x(low))}" y1="${centre}" x2="${px(x(high))}" y2="${centre}"/>`;
    const figure = text
      ? `<text class="small" x="${px(right)}" y="${px(y + thickness / 2 + HALF_LETTER)}" text-anchor="end">${escapeXml(text)}</text>`
      : "";
    return `<rect class="f-${tone}" x="${left}" y="${y}" width="${px(x(median) - left)}" height="${thickness - 1}"/>${high > low ? whisker : ""}${figure}`;
  });
  const mark =
    limit === undefined
      ? ""
      : `<line class="line s-limit" x1="${px(x(limit))}" y1="${top - 2}" x2="${px(x(limit))}" y2="${top + bars.length * thickness + 1}"/>`;
  return [hasName ? label : "", ...drawn, mark].join("\n");
}
