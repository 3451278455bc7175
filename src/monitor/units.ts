/** Formats numbers for people. Pure. */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const RATES = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"] as const;

/** Returns "18.20 GiB" or "512 B", as wg(8) prints them. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, BINARY);
}

/** Returns a rate in bytes per second as "41.20 Mbit/s". */
export function formatRate(bytesPerSecond: number): string {
  return scaled(bytesPerSecond * 8, 1000, RATES);
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let [rest, unit] = [value, 0];
  while (rest >= step && unit < units.length - 1) [rest, unit] = [rest / step, unit + 1];
  return `${unit === 0 ? Math.round(rest) : rest.toFixed(2)} ${units[unit]}`;
}

/** Returns "12.1 ms". */
export function formatMillis(micros: Micros): string {
  return `${(micros / 1000).toFixed(1)} ms`;
}

/** Returns "0.25 %" for a share of 0.0025. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** Returns a duration in its two largest units, "2 days 3 hours"; "0 seconds" for less than one second. */
export function formatSeconds(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${formatCount(count, name)}`);
  }
  return parts.slice(0, 2).join(" ") || "0 seconds";
}

/** Returns a duration in microseconds as `formatSeconds` does. */
export function formatAge(micros: Micros): string {
  return formatSeconds(micros / MICROS_PER_SECOND);
}

/** Returns "1 link" or "2 links". */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
