import { describe, expect, test } from "bun:test";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { clampMss } from "../../src/wire/mss.ts";
import { build, type Shape, TCP } from "../support/packets/build.ts";
import { completed, isPartial, isRight, startOf } from "../support/packets/checksums.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const SYN = TCP.SYN;

/** A TCP packet with these option bytes, padded, and a right checksum (or the pseudo-header's sum). */
function withOptions(options: readonly number[], shape: Partial<Shape> = {}): Uint8Array {
  const size = Math.ceil(options.length / 4) * 4;
  const version = shape.version ?? 4;
  const all = { version, protocol: "tcp", payload: new Uint8Array(0), flags: SYN, options: size, ...shape } as const;
  const packet = build({ ...all, checksum: "partial" });
  const at = startOf(packet) + 20;
  packet.fill(0, at, at + size);
  packet.set(options, at);
  return shape.checksum === "partial" ? packet : completed(packet);
}

function clamp(packet: Uint8Array, mtu = 1400, isPartialSum = false): boolean {
  const view = new DataView(packet.buffer);
  const parsed = new ParsedHeader();
  if (!parsed.parse(view, 0, packet.length)) throw new Error("junk");
  return clampMss(view, 0, parsed, mtu, isPartialSum);
}

const mssAt = (packet: Uint8Array, offset: number) =>
  new DataView(packet.buffer).getUint16(startOf(packet) + 20 + offset);

const MSS_1460 = [2, 4, 1460 >> 8, 1460 & 255];

/** Draws a SYN and a limit, clamps, and checks all that must then hold. */
function checkClamped(random: SeededRandom): void {
  const mss = random.below(65536);
  const nops = random.below(6);
  const version = random.chance(0.5) ? 4 : 6;
  const headers = version === 4 ? 40 : 60;
  const options = [...new Array<number>(nops).fill(1), 2, 4, mss >> 8, mss & 255];
  const packet = withOptions(options, { version, sequence: random.uint32(), window: random.below(65536) });
  const limit = 500 + random.below(9000);
  const before = packet.slice();
  const isChanged = clamp(packet, limit + headers);
  expect(isChanged).toBe(mss > limit);
  expect(mssAt(packet, nops + 2)).toBe(Math.min(mss, limit));
  expect(isRight(packet)).toBe(true);
  if (!isChanged) expect(packet).toEqual(before);
}

describe("clampMss", () => {
  test.each([
    [4, 1360],
    [6, 1340],
  ] as const)("lowers the MSS of an IPv%d SYN to what fits and mends the checksum", (version, mss) => {
    const packet = withOptions(MSS_1460, { version });
    expect(isRight(packet)).toBe(true);
    expect(clamp(packet)).toBe(true);
    expect(mssAt(packet, 2)).toBe(mss);
    expect(isRight(packet)).toBe(true);
  });

  test("does so for a SYN-ACK and behind other options, at odd offsets as well", () => {
    for (let nops = 0; nops < 8; nops++) {
      const packet = withOptions([...new Array<number>(nops).fill(1), 3, 3, 7, ...MSS_1460], { flags: SYN | TCP.ACK });
      expect(clamp(packet)).toBe(true);
      expect(mssAt(packet, nops + 5)).toBe(1360);
      expect(isRight(packet)).toBe(true);
    }
  });

  test("leaves the checksum right for every MSS, limit, offset and payload", () => {
    seeded((random) => {
      for (let i = 0; i < 3_000; i++) {
        checkClamped(random);
      }
    })();
  });

  test("leaves a checksum alone that is only the pseudo-header's sum", () => {
    const packet = withOptions(MSS_1460, { checksum: "partial" });
    expect(clamp(packet, 1400, true)).toBe(true);
    expect(isPartial(packet)).toBe(true);
    expect(isRight(completed(packet))).toBe(true);
  });

  test.each([
    ["no SYN", withOptions(MSS_1460, { flags: TCP.ACK })],
    ["no MSS", withOptions([1, 1, 3, 3, 7])],
    ["an MSS behind the end of options", withOptions([0, ...MSS_1460])],
    ["an MSS of a wrong size", withOptions([2, 3, 5, 1])],
    ["an option of size 0", withOptions([5, 0, ...MSS_1460])],
    ["an option of size 1", withOptions([5, 1, ...MSS_1460])],
    ["an option longer than the header", withOptions([5, 40, ...MSS_1460])],
    ["an MSS cut by the header's end", withOptions([1, 2, 4, 5])],
    ["an option's kind alone at the end", withOptions([1, 1, 1, 2])],
    ["a small MSS already", withOptions([2, 4, 2, 0])],
    ["another protocol", withOptions(MSS_1460).with(9, 17)],
    ["a fragment", withOptions(MSS_1460).with(7, 1)],
    ["a header longer than the packet", withOptions(MSS_1460).with(32, 0xf0)],
    ["a header shorter than TCP's", withOptions(MSS_1460).with(32, 0x40)],
  ])("does not touch a packet with %s", (_name, packet) => {
    const before = packet.slice();
    expect(clamp(packet)).toBe(false);
    expect(packet).toEqual(before);
  });
});
