/** Renders the results of a speed test as a table: each link alone, the best of them, their sum, the tunnel, and how it compares. */

export type TransferDirection = "forward" | "reverse";

/** Megabits per second by direction; one that was not measured is missing. */
export type Rates = Partial<Record<TransferDirection, number>>;

export interface Speeds {
  readonly links: ({ readonly name: string } & Rates)[];
  readonly tunnel: Rates;
}

const TITLES: Record<TransferDirection, string> = { forward: "to the peer", reverse: "from the peer" };

export function renderSpeeds({ links, tunnel }: Speeds): string {
  const directions = (["forward", "reverse"] as const).filter((direction) => tunnel[direction] !== undefined);
  const row = (name: string, cell: (direction: TransferDirection) => string) => [name, ...directions.map(cell)];
  const rates = (direction: TransferDirection) => links.map((link) => link[direction] ?? 0);
  const best = (direction: TransferDirection) => Math.max(...rates(direction), 0);
  const sum = (direction: TransferDirection) => rates(direction).reduce((a, b) => a + b, 0);
  const of = (direction: TransferDirection) => tunnel[direction] ?? 0;
  return aligned([
    row("Mbit/s", (direction) => TITLES[direction]),
    ...links.map((link) => row(link.name, (direction) => (link[direction] ?? 0).toFixed(2))),
    row("best link", (direction) => best(direction).toFixed(2)),
    row("sum of links", (direction) => sum(direction).toFixed(2)),
    row("tunnel", (direction) => of(direction).toFixed(2)),
    row("times the best link", (direction) => ratio(of(direction), best(direction))),
    row("share of the sum", (direction) => ratio(of(direction), sum(direction))),
  ]);
}

function ratio(a: number, b: number): string {
  return b > 0 ? (a / b).toFixed(2) : "-";
}

/** Aligns the first column to the left and the others to the right. */
function aligned(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (text: string, i: number) => (i === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[i] ?? 0));
  return rows.map((row) => row.map(cell).join("  ")).join("\n");
}
