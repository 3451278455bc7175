import { describe, expect, test } from "bun:test";
import { isLinkMetered, linkLimit, writeLink } from "../../src/wire/link-limits.ts";

describe("writeLink", () => {
  test("writes the known bytes, never more than the limit, and reads them back", () => {
    const cases: readonly (readonly [boolean, number, string, number])[] = [
      [false, Number.POSITIVE_INFINITY, "90000000", Number.POSITIVE_INFINITY],
      [true, Number.POSITIVE_INFINITY, "91000000", Number.POSITIVE_INFINITY],
      [false, 625_000, "90001388", 625_000],
      [true, 625_124, "91001388", 625_000],
      [false, 1, "90000001", 125],
      [false, 1e12, "90ffffff", 0xffffff * 125],
    ];
    for (const [isMetered, limit, bytes, read] of cases) {
      const view = new DataView(new ArrayBuffer(4));
      writeLink(view, 0, isMetered, limit);
      expect(new Uint8Array(view.buffer).toHex()).toBe(bytes);
      expect([isLinkMetered(view, 0), linkLimit(view, 0)]).toEqual([isMetered, read]);
    }
  });
});
