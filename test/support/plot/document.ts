/**
 * The paper of every plot: title, legend, colours. A plot brings its own ground, light or dark as the reader's screen is, so it
 * is legible on any page. The colours are those of Okabe and Ito, which people with any colour vision tell apart.
 */

/** Meanings of colours, the same in every plot. */
export type Tone = "tunnel" | "dissertation" | "alone" | "limit" | "down" | "up" | "third";

const LIGHT: Readonly<Record<Tone, string>> = {
  tunnel: "#0072b2",
  dissertation: "#e69f00",
  alone: "#8a8a8a",
  limit: "#222222",
  down: "#0072b2",
  up: "#d55e00",
  third: "#009e73",
};

const DARK: Readonly<Record<Tone, string>> = {
  tunnel: "#56b4e9",
  dissertation: "#f0b432",
  alone: "#a0a0a0",
  limit: "#f2f2f2",
  down: "#56b4e9",
  up: "#ff8c42",
  third: "#2fc99b",
};

interface Paper {
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly shade: string;
}

const LIGHT_PAPER: Paper = { ground: "#ffffff", ink: "#24292f", faint: "#57606a", grid: "#dfe3e8", shade: "#f6dfdf" };
const DARK_PAPER: Paper = { ground: "#0d1117", ink: "#e6edf3", faint: "#9aa4ae", grid: "#30363d", shade: "#35201f" };

export interface LegendEntry {
  readonly tone: Tone;
  readonly text: string;
  /** A swatch (default), or a line as in the plot. */
  readonly isLine?: boolean;
  readonly isDashed?: boolean;
}

export interface Document {
  readonly title: string;
  /** One line below the title. */
  readonly note: string;
  /** Circumstances of the measurement, at the foot. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly legend: readonly LegendEntry[];
  /** Drawn parts. */
  readonly body: readonly string[];
}

/** Height that title, note and legend take. */
export const HEAD_HEIGHT = 92;
export const MARGIN = 24;
/** A letter's mean width in text of 12 pixels. */
const LETTER = 6.3;

export function drawDocument({ title, note, source, width, height, legend, body }: Document): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${css(LIGHT, LIGHT_PAPER)}@media (prefers-color-scheme: dark){${css(DARK, DARK_PAPER)}}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="title" x="${MARGIN}" y="32">${escapeXml(title)}</text>`,
    `<text class="faint" x="${MARGIN}" y="53">${escapeXml(note)}</text>`,
    drawLegend(legend, MARGIN, 76),
    ...body,
    `<text class="faint small" x="${MARGIN}" y="${height - 12}">${escapeXml(source)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function css(tones: Readonly<Record<Tone, string>>, paper: Paper): string {
  const rules = [
    `text{font:12px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:${paper.ink}}`,
    ".title{font-size:18px;font-weight:600}.strong{font-weight:600}.small{font-size:11px}",
    `.faint{fill:${paper.faint}}.ground{fill:${paper.ground}}.shade{fill:${paper.shade}}`,
    `.grid{stroke:${paper.grid};stroke-width:1}.whisker{stroke:${paper.ink};stroke-width:1.2}`,
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:6 4}.area{opacity:.22;stroke:none}",
    ...Object.entries(tones).map(([name, colour]) => `.f-${name}{fill:${colour}}.s-${name}{stroke:${colour}}`),
  ];
  return rules.join("");
}

function drawLegend(entries: readonly LegendEntry[], left: number, y: number): string {
  let x = left;
  return entries
    .map(({ tone, text, isLine, isDashed }) => {
      const sign = isLine
        ? `<line class="line s-${tone}${isDashed ? " dashed" : ""}" x1="${x}" y1="${y - 4}" x2="${x + 22}" y2="${y - 4}"/>`
        : `<rect class="f-${tone}" x="${x}" y="${y - 10}" width="12" height="12" rx="2"/>`;
      const textAt = x + (isLine ? 28 : 18);
      x = Math.round(textAt + text.length * LETTER + 22);
      return `${sign}<text x="${textAt}" y="${y}">${escapeXml(text)}</text>`;
    })
    .join("\n");
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Returns a coordinate with as many digits as can be seen. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
