/** What is wrong with a configuration file, as values, and the one form in which a person sees it. */

export interface ConfigFault {
  /** Line of the file, from 1; 0 when it concerns the file as a whole. */
  readonly line: number;
  readonly text: string;
}

const LONGEST_SHOWN = 60;
/** A key that got into the wrong place. */
const LOOKS_SECRET = /^[A-Za-z0-9+/]{43}=?$/;

/** `FILE:LINE: text`, one line. */
export function formatFault(file: string, fault: ConfigFault): string {
  return fault.line === 0 ? `${file}: ${fault.text}` : `${file}:${fault.line}: ${fault.text}`;
}

/** All of them in the order of the file, one line each. */
export function formatFaults(file: string, faults: readonly ConfigFault[]): string {
  return faults
    .toSorted((a, b) => a.line - b.line)
    .map((fault) => formatFault(file, fault))
    .join("\n");
}

/** `Peer[1].LocalPort invalid: max 65535; given 74523`, in the dissertation's form. */
export function invalidText(place: string, rule: string, given: string): string {
  return `${place} invalid: ${rule}; given ${showValue(given)}`;
}

/** `Peer[1].RemotPort unknown: did you mean RemotePort?` */
export function unknownText(place: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `${place} unknown: ${near ? `did you mean ${near}?` : `known are ${known.join(", ")}`}`;
}

function showValue(value: string): string {
  if (value === "") return "nothing";
  if (LOOKS_SECRET.test(value)) return "(hidden)";
  return value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}...` : value;
}

/** The name that `name` is a slip of the pen from; undefined when none is near. */
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

/** Levenshtein's distance; names longer than any key cost nothing. */
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
