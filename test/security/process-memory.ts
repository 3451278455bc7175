// The memory of another process, searched. Linux alone: /proc/PID/mem, by the pages that are there.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const PAGE = 4096;
const PAGES_AT_ONCE = 1024;
const ENTRY = 8;
/** Bits 63 and 62 of an entry of /proc/PID/pagemap, in its highest byte: the page is in memory or in swap. */
const IS_THERE = 0xc0;

/** Returns the indexes of those patterns, all of one length, that some memory of process `pid` holds. */
export function findInMemory(pid: number, patterns: readonly Uint8Array[]): Set<number> {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const pages = openSync(`/proc/${pid}/pagemap`, "r");
  const search = new Search(patterns);
  try {
    for (const [start, end] of readableRegions(pid)) {
      for (let at = start; at < end; at += PAGES_AT_ONCE * PAGE) {
        searchPages(memory, pages, at, Math.min(PAGES_AT_ONCE, (end - at) / PAGE), search);
      }
    }
  } finally {
    closeSync(memory);
    closeSync(pages);
  }
  return search.found;
}

function readableRegions(pid: number): (readonly [start: number, end: number])[] {
  const maps = readFileSync(`/proc/${pid}/smaps`, "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return maps
    .filter((map) => /^\S+ r/.test(map) && !/^Rss:\s+0 kB$/m.test(map) && !/\[v(var|syscall|vdso)/.test(map))
    .map(
      (map) =>
        (map.split(" ")[0] as string).split("-").map((address) => Number.parseInt(address, 16)) as [number, number],
    );
}

/** Searches runs of pages that are there, each as a whole. */
function searchPages(memory: number, pages: number, start: number, count: number, search: Search): void {
  const entries = new Uint8Array(count * ENTRY);
  readSync(pages, entries, 0, entries.length, (start / PAGE) * ENTRY);
  const isThere = (page: number) => page < count && ((entries[page * ENTRY + ENTRY - 1] as number) & IS_THERE) !== 0;
  for (let page = 0; page < count; page++) {
    if (!isThere(page)) continue;
    let end = page;
    while (isThere(end)) end++;
    const bytes = new Uint8Array((end - page) * PAGE);
    try {
      search.feed(bytes.subarray(0, readSync(memory, bytes, 0, bytes.length, start + page * PAGE)));
    } catch {
      // Gone in between, or of a device.
    }
    page = end;
  }
}

class Search {
  readonly found = new Set<number>();
  readonly #patterns: readonly Uint8Array[];
  /** Patterns by their first two bytes. */
  readonly #byStart: (number[] | undefined)[] = new Array(65_536);

  constructor(patterns: readonly Uint8Array[]) {
    this.#patterns = patterns;
    patterns.forEach((pattern, i) => {
      const start = ((pattern[0] as number) << 8) | (pattern[1] as number);
      this.#byStart[start] = [...(this.#byStart[start] ?? []), i];
    });
  }

  feed(bytes: Uint8Array): void {
    for (let at = 0; at + 1 < bytes.length; at++) {
      const candidates = this.#byStart[((bytes[at] as number) << 8) | (bytes[at + 1] as number)];
      for (const i of candidates ?? []) {
        const pattern = this.#patterns[i] as Uint8Array;
        if (pattern.every((byte, k) => byte === bytes[at + k])) this.found.add(i);
      }
    }
  }
}
