import { describe, expect, test } from "bun:test";
import { Handshakes, handshakeStep } from "../../src/queue/handshakes.ts";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { ipv4, ipv6, tcp } from "../support/packets/build.ts";

const [SYN, SYN_ACK] = [0x02, 0x12];

function stepOf(packet: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(packet.buffer);
  const parsed = new ParsedHeader();
  parsed.parse(view, 0, packet.length);
  return handshakeStep(view, 0, parsed);
}

describe("handshakes", () => {
  test("are told from other packets by their flags, those of ECN aside", () => {
    for (const wrap of [ipv4, ipv6]) {
      const steps = [SYN, SYN_ACK, SYN | 0xc0, SYN_ACK | 0x40, 0x10, 0x18, 0x11, 0x04, 0x14].map((flags) =>
        stepOf(wrap(6, tcp(5, 6, flags))),
      );
      expect(steps).toEqual([SYN, SYN_ACK, SYN, SYN_ACK, 0, 0, 0, 0, 0]);
      expect(stepOf(wrap(6, tcp(5, 6, SYN).slice(0, 13)))).toBe(0);
    }
  });

  test("time the answer to a question, each flow's for itself and once", () => {
    const handshakes = new Handshakes(4);
    expect(handshakes.note(1_000, SYN, 1)).toBe(0);
    expect(handshakes.note(5_000, SYN, 2)).toBe(0);
    expect(handshakes.note(31_000, SYN_ACK, 1)).toBe(30_000);
    expect(handshakes.note(32_000, SYN_ACK, 1)).toBe(0);
    expect(handshakes.note(45_000, SYN_ACK, 2)).toBe(40_000);
    expect(handshakes.note(45_000, SYN_ACK, 3)).toBe(0);
  });

  test("count from the last question, and not when the answer is too late to tell which it answers", () => {
    const handshakes = new Handshakes(4);
    handshakes.note(1_000, SYN, 1);
    handshakes.note(1_001_000, SYN, 1);
    expect(handshakes.note(1_041_000, SYN_ACK, 1)).toBe(40_000);
    handshakes.note(2_000_000, SYN, 1);
    expect(handshakes.note(3_000_000, SYN_ACK, 1)).toBe(0);
  });
});
