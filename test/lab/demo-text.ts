/** Small charts and tables in a terminal. */

const EIGHTHS = "▁▂▃▄▅▆▇█";
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const CODES = { bold: "1", green: "32", dim: "2" } as const;

/** True if a person looks at a terminal that has colours. */
export function paint(style: keyof typeof CODES, text: string): string {
  if (!process.stdout.isTTY || process.env.NO_COLOR) return text;
  return `\x1b[${CODES[style]}m${text}\x1b[0m`;
}

/** Returns the values as a line of blocks, padded to `width`; `full` is the value of a whole block. */
export function sparkline(values: readonly number[], full: number, width: number): string {
  const step = Math.max(1, Math.ceil(values.length / width));
  const means: number[] = [];
  for (let i = 0; i < values.length; i += step) {
    const group = values.slice(i, i + step);
    means.push(group.reduce((sum, value) => sum + value, 0) / group.length);
  }
  const blocks = means.map((value) => EIGHTHS[Math.max(0, Math.min(7, Math.round((value / full) * 8) - 1))]);
  return paint("green", blocks.join("").padEnd(width));
}

/** Returns a horizontal bar of at most `width` cells, with its value. */
export function bar(value: number, full: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, value / full)) * width * 8);
  return `${paint("green", "█".repeat(eighths >> 3) + (PARTS[eighths & 7] ?? ""))} ${value.toFixed(1)}`;
}

/** Returns columns of text, the first to the left and the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("   ")}`;
  const rule = `  ${"─".repeat(widths.reduce((sum, width) => sum + width, 0) + 3 * (widths.length - 1))}`;
  return [paint("bold", line(head)), rule, ...rows.map(line)].join("\n");
}
