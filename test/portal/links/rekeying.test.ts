import { describe, expect, test } from "bun:test";
import type { Session } from "../../../src/exchange/exchange.ts";
import type { Path } from "../../../src/path/path.ts";
import { Rekeying } from "../../../src/portal/links/rekeying.ts";

/** A path as far as rekeying looks at it, under its first keys. */
function pathOf(isInitiator: boolean): Path {
  const keys = { epoch: 0, since: 0, sentFrom: 0, receivedFrom: 0, advance() {}, deadline: () => 1e12 };
  return { settings: { isInitiator }, state: "up", keys, sent: { next: 0 }, received: { largest: -1 } } as never;
}

/** A session that counts the handshakes which messages of the peer cost, none of which is genuine. */
class CountingSession implements Session {
  readonly isRenewable = true;
  handshakes = 0;

  renew() {
    return { message: new Uint8Array(80), complete: () => this.answer(), wipe() {} };
  }

  answer(): undefined {
    this.handshakes++;
  }
}

describe("Rekeying", () => {
  test.each([true, false])(
    "has bogus messages cost two handshakes at once, and one a second (initiator: %p)",
    (isInitiator) => {
      const session = new CountingSession();
      const rekeying = new Rekeying();
      const path = pathOf(isInitiator);
      rekeying.add(path, session);
      const from = 121_000_000;
      rekeying.handleTimeout(from, path);
      const bogus = (now: number) => rekeying.handleMessage(now, path, isInitiator, 1, new Uint8Array(80));
      for (let i = 0; i < 16; i++) expect(bogus(from)).toBe(false);
      expect(session.handshakes).toBe(2);
      for (let at = 0; at < 10_000_000; at += 10_000) bogus(from + at);
      expect(session.handshakes).toBeWithin(10, 13);
    },
  );
});
