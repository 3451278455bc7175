/** From values to places in a picture, and round numbers to write at an axis. */

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  /** About so many numbers are written; default: 5. */
  readonly ticks?: number;
  /** Logarithmic; both ends are above 0. */
  readonly isLogarithmic?: boolean;
  /** In the place of the numbers. */
  readonly names?: Readonly<Record<number, string>>;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Returns the place of `value` on an axis drawn from `start` to `end`; beyond the ends it stays at them. */
export function place(axis: Axis, value: number, start: number, end: number): number {
  const of = axis.isLogarithmic ? Math.log : (x: number) => x;
  const share = (of(value) - of(axis.from)) / (of(axis.to) - of(axis.from));
  return start + (end - start) * Math.min(1, Math.max(0, share));
}

/** Returns round numbers within the axis, at steps of 1, 2 or 5 times a power of ten. */
export function ticksOf(axis: Axis): Tick[] {
  const values = axis.names ? Object.keys(axis.names).map(Number) : roundValues(axis);
  return values.map((at) => ({ at, text: axis.names?.[at] ?? shortNumber(at) }));
}

/** Returns the next round number at or above `value`, for the end of an axis. */
export function roundUp(value: number): number {
  const step = stepFor(value / 4);
  return Math.ceil(value / step - 1e-9) * step;
}

function roundValues({ from, to, ticks = 5, isLogarithmic }: Axis): number[] {
  if (isLogarithmic) return logarithmicValues(from, to);
  const step = stepFor((to - from) / ticks);
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

function logarithmicValues(from: number, to: number): number[] {
  const values: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10)
    for (const factor of [1, 2, 5]) if (factor * power >= from && factor * power <= to) values.push(factor * power);
  return values;
}

function stepFor(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return factor * power;
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}
