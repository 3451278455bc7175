/** One plot of y over x: axes, and lines, areas, dots and shades in them. */
import { escapeXml, px, type Tone } from "./document.ts";
import { type Axis, place, ticksOf } from "./scale.ts";

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];
/** A median between quartiles. */
export type SpreadPoint = readonly [x: number, median: number, low: number, high: number];

export type Mark =
  | { readonly kind: "line"; readonly tone: Tone; readonly points: readonly Point[]; readonly isDashed?: boolean }
  /** Between low and high; the median is not drawn. */
  | { readonly kind: "area"; readonly tone: Tone; readonly points: readonly SpreadPoint[] }
  | { readonly kind: "dots"; readonly tone: Tone; readonly points: readonly SpreadPoint[] }
  /** A time in which something is different. */
  | { readonly kind: "shade"; readonly from: number; readonly to: number }
  /** A value to compare with. */
  | { readonly kind: "level"; readonly tone: Tone; readonly y: number };

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
}

const WHISKER = 4;

export function drawPanel(frame: Frame, panel: Panel): string {
  const { left, top, width, height } = frame;
  const bottom = top + height;
  const x = (value: number) => place(panel.x, value, left, left + width);
  const y = (value: number) => place(panel.y, value, bottom, top);
  const isBehind = (mark: Mark) => mark.kind === "shade";
  const draw = (mark: Mark) => drawMark(mark, frame, x, y);
  return [
    ...panel.marks.filter(isBehind).map(draw),
    ...ticksOf(panel.y).map(({ at, text }) => rung(left, left + width, y(at), text)),
    ...ticksOf(panel.x).map(({ at, text }) => foot(x(at), bottom, text)),
    ...panel.marks.filter((mark) => !isBehind(mark)).map(draw),
    `<text class="strong" x="${left}" y="${top - 10}">${escapeXml(panel.title)}</text>`,
    `<text class="faint small" x="${left + width}" y="${bottom + 32}" text-anchor="end">${escapeXml(panel.x.label)}</text>`,
    `<text class="faint small" x="${left + width}" y="${top - 10}" text-anchor="end">${escapeXml(panel.y.label)}</text>`,
  ].join("\n");
}

function rung(from: number, to: number, y: number, text: string): string {
  return `<line class="grid" x1="${from}" y1="${px(y)}" x2="${to}" y2="${px(y)}"/><text class="faint small" x="${from - 6}" y="${px(y + 4)}" text-anchor="end">${escapeXml(text)}</text>`;
}

function foot(x: number, bottom: number, text: string): string {
  return `<line class="grid" x1="${px(x)}" y1="${bottom}" x2="${px(x)}" y2="${bottom + 4}"/><text class="faint small" x="${px(x)}" y="${bottom + 17}" text-anchor="middle">${escapeXml(text)}</text>`;
}

type Scale = (value: number) => number;

function drawMark(mark: Mark, { left, top, width, height }: Frame, x: Scale, y: Scale): string {
  switch (mark.kind) {
    case "line": {
      const points = mark.points.map(([at, value]) => `${px(x(at))},${px(y(value))}`).join(" ");
      return `<polyline class="line s-${mark.tone}${mark.isDashed ? " dashed" : ""}" points="${points}"/>`;
    }
    case "area": {
      const up = mark.points.map(([at, , , high]) => `${px(x(at))},${px(y(high))}`);
      const back = mark.points.toReversed().map(([at, , low]) => `${px(x(at))},${px(y(low))}`);
      return `<polygon class="area f-${mark.tone}" points="${[...up, ...back].join(" ")}"/>`;
    }
    case "dots":
      return mark.points
        .map(([at, value, low, high]) =>
          [
            `<line class="whisker" x1="${px(x(at))}" y1="${px(y(low))}" x2="${px(x(at))}" y2="${px(y(high))}"/>`,
            `<circle class="f-${mark.tone}" cx="${px(x(at))}" cy="${px(y(value))}" r="${WHISKER}"/>`,
          ].join(""),
        )
        .join("\n");
    case "shade":
      return `<rect class="shade" x="${px(x(mark.from))}" y="${top}" width="${px(x(mark.to) - x(mark.from))}" height="${height}"/>`;
    case "level":
      return `<line class="line dashed s-${mark.tone}" x1="${left}" y1="${px(y(mark.y))}" x2="${left + width}" y2="${px(y(mark.y))}"/>`;
  }
}
