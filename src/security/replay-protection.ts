// @hot
/**
 * The replay protection of the dissertation (2.2.2, 3.1.5): one sequence space and one window shared by all paths of the tunnel,
 * carried as an eight-byte footer. Sequences grow for as long as the portal runs, across all rekeys.
 */
import { DROP } from "../drops.ts";
import { FOOTER_SIZE, readFooter, writeFooter } from "../wire/footer.ts";
import { ReplayWindow } from "./replay-window.ts";
import type { MacGenerator, MacVerifier } from "./security.ts";

/** Size of the window in datagrams: 1 Gbit/s of full-size ones during 300 ms of skew between paths are 25 000, of small ones more. */
export const SHARED_WINDOW = 131_072;

/** One per portal, shared by the chains of all its paths. */
export class SharedSequenceGenerator implements MacGenerator {
  readonly size = FOOTER_SIZE;
  #next = 0;

  generate(_bytes: Uint8Array, view: DataView, _start: number, end: number): void {
    writeFooter(view, end, this.#next++);
  }

  wipe(): void {}
}

/** One per run of the peer, shared by the chains of all paths to it. */
export class SharedSequenceVerifier implements MacVerifier {
  readonly size = FOOTER_SIZE;
  readonly #window = new ReplayWindow(SHARED_WINDOW);

  verify(_bytes: Uint8Array, view: DataView, _start: number, end: number): number {
    const sequence = readFooter(view, end);
    return sequence >= 0 && this.#window.accept(sequence) ? 0 : DROP["datagram-replayed"];
  }

  wipe(): void {}
}
