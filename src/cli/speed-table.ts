/** The figures of a speed test as a table: each link alone, the best of them, their sum, the tunnel, and how it compares. */

export type Way = "forward" | "reverse";

/** Megabits a second; a way that was not measured is left out. */
export type Rates = Partial<Record<Way, number>>;

export interface Speeds {
  readonly links: ({ readonly name: string } & Rates)[];
  readonly tunnel: Rates;
}

const TITLES: Record<Way, string> = { forward: "to the peer", reverse: "from the peer" };

export function renderSpeeds({ links, tunnel }: Speeds): string {
  const ways = (["forward", "reverse"] as const).filter((way) => tunnel[way] !== undefined);
  const row = (name: string, cell: (way: Way) => string) => [name, ...ways.map(cell)];
  const rates = (way: Way) => links.map((link) => link[way] ?? 0);
  const best = (way: Way) => Math.max(...rates(way), 0);
  const sum = (way: Way) => rates(way).reduce((a, b) => a + b, 0);
  const of = (way: Way) => tunnel[way] ?? 0;
  return aligned([
    row("Mbit/s", (way) => TITLES[way]),
    ...links.map((link) => row(link.name, (way) => (link[way] ?? 0).toFixed(2))),
    row("best link", (way) => best(way).toFixed(2)),
    row("sum of links", (way) => sum(way).toFixed(2)),
    row("tunnel", (way) => of(way).toFixed(2)),
    row("times the best link", (way) => ratio(of(way), best(way))),
    row("share of the sum", (way) => ratio(of(way), sum(way))),
  ]);
}

function ratio(a: number, b: number): string {
  return b > 0 ? (a / b).toFixed(2) : "-";
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (text: string, i: number) => (i === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[i] ?? 0));
  return rows.map((row) => row.map(cell).join("  ")).join("\n");
}
