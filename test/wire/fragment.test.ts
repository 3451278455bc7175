import { describe, expect, test } from "bun:test";
import { DATA_FLAG } from "../../src/wire/data.ts";
import { FRAGMENT_SIZE, Fragment, MAX_FRAGMENTS } from "../../src/wire/fragment.ts";

describe("Fragment", () => {
  test("writes the known bytes", () => {
    const bytes = new Uint8Array(11).fill(0xee);
    const facts = { flags: DATA_FLAG.CHECKSUM_PARTIAL, bucket: 0x0abc, class: 5, sequence: 0x123456 };
    const fragment = Object.assign(new Fragment(), facts);
    fragment.place(1, 3, 1_400);
    fragment.write(new DataView(bytes.buffer), 1);
    expect(bytes.toHex()).toBe("ee71aabc123456120578ee");
  });

  test("places parts so that they cover the packet once", () => {
    const fragment = new Fragment();
    for (const length of [1, 15, 16, 17, 1_400, 65_535]) {
      for (let parts = 1; parts <= Math.min(length, MAX_FRAGMENTS); parts++) {
        let at = 0;
        for (let part = 0; part < parts; part++) {
          fragment.place(part, parts, length);
          expect(fragment.offset).toBe(at);
          expect(fragment.size).toBeWithin(Math.floor(length / parts), Math.ceil(length / parts) + 1);
          at += fragment.size;
        }
        expect(at).toBe(length);
      }
    }
  });

  test("reads back what it wrote, and nothing that does not fit its place", () => {
    const view = new DataView(new ArrayBuffer(FRAGMENT_SIZE + 700));
    const out = Object.assign(new Fragment(), { flags: 2, bucket: 77, class: 1, sequence: 99 });
    out.place(1, 2, 1_399);
    out.write(view, 0);
    const back = new Fragment();
    expect(back.read(view, 0, FRAGMENT_SIZE + 699)).toBe(true);
    expect(back).toEqual(out);
    for (const end of [0, 1, FRAGMENT_SIZE - 1, FRAGMENT_SIZE, FRAGMENT_SIZE + 698, FRAGMENT_SIZE + 700]) {
      expect(back.read(view, 0, end)).toBe(false);
    }
    for (const places of [0x20, 0x21, 0xf0]) {
      view.setUint8(6, places);
      expect(back.read(view, 0, FRAGMENT_SIZE + 699)).toBe(false);
    }
  });
});
