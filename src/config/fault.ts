/** Defines the faults of a configuration file, and the form in which they are printed. */

export interface ConfigFault {
  /** Line of the file, from 1; 0 if the fault concerns the file as a whole. */
  readonly line: number;
  readonly text: string;
}

const LONGEST_SHOWN = 60;
/** Matches a key anywhere in a value, as when one was put into the wrong place, so that it is not printed. */
const LOOKS_SECRET = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])/;

/** Returns `FILE:LINE: text`. */
function formatFault(file: string, fault: ConfigFault): string {
  return fault.line === 0 ? `${file}: ${fault.text}` : `${file}:${fault.line}: ${fault.text}`;
}

/** Returns all faults in the order of the file, one line each. */
export function formatFaults(file: string, faults: readonly ConfigFault[]): string {
  return faults
    .toSorted((a, b) => a.line - b.line)
    .map((fault) => formatFault(file, fault))
    .join("\n");
}

/** Returns `Peer[1].LocalPort invalid: max 65535; given 74523`, the dissertation's form. */
export function invalidText(place: string, rule: string, given: string): string {
  return `${place} invalid: ${rule}; given ${showValue(given)}`;
}

/** Returns `Peer[1].RemotPort unknown: did you mean RemotePort?` */
export function unknownText(place: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `${place} unknown: ${near ? `did you mean ${near}?` : `expected one of ${known.join(", ")}`}`;
}

/** Returns a value for a message: shortened, and hidden if it looks like a secret. */
export function showValue(value: string): string {
  if (value === "") return "nothing";
  if (LOOKS_SECRET.test(value)) return "(hidden)";
  return value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}...` : value;
}

/** Returns the known name that `name` is a misspelling of; undefined if none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(4, Math.max(2, Math.floor(name.length / 3))) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Returns Levenshtein's distance of two names, or 16 without computing it if their lengths differ by more. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 16) return 16;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
