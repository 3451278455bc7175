// @hot
/** The sending side's own records of each path: a path knows nothing of packets and flows. */
import type { Path } from "../../path/path.ts";
import { MAX_PATHS } from "../path-table.ts";

export class PathRecord {
  readonly path: Path;
  /** True if the scheduler had no packet for the path although some wait: only a new packet or an acknowledgement changes that. */
  isStarved = false;
  /** True if a packet was sent whose loss costs much, and nothing after it that would reveal the loss. */
  isTailAtRisk = false;
  /** Bytes of padding sent to find the path's rate. */
  paddingBytes = 0;
  /** Packets that the path carried after another datagram had, by reason. */
  retransmissions = 0;
  reinjections = 0;
  duplicates = 0;

  constructor(path: Path) {
    this.path = path;
  }
}

export class PathRecords {
  readonly #records: (PathRecord | undefined)[] = new Array(MAX_PATHS).fill(undefined);

  /** Returns the record of `path`, a new one if the path is. */
  of(path: Path): PathRecord {
    const known = this.#records[path.id];
    if (known?.path === path) return known;
    const record = new PathRecord(path);
    this.#records[path.id] = record;
    return record;
  }
}
