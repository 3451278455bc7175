import { describe, expect, test } from "bun:test";
import { decodeQR } from "qr/decode.js";
import { renderQr } from "../../src/pairing/qr.ts";

/** What a camera would see of the terminal: each half of a character a square of pixels. */
function photograph(text: string, pixels = 4) {
  const rows = Bun.stripANSI(text)
    .split("\n")
    .flatMap((line) => [
      Array.from(line, (char) => char === "█" || char === "▀"),
      Array.from(line, (char) => char === "█" || char === "▄"),
    ]);
  const width = (rows[0]?.length ?? 0) * pixels;
  const height = rows.length * pixels;
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isDark = rows[Math.floor(y / pixels)]?.[Math.floor(x / pixels)] === true;
      if (isDark) data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { width, height, data };
}

describe("The QR code in the terminal", () => {
  test.each([1, 60, 140, 300])("of %d characters is read back as it was", (length) => {
    const text = `nc1-${"aZ09_-".repeat(50)}`.slice(0, length);
    expect(decodeQR(photograph(renderQr(text)))).toBe(text);
  });

  test("of a usual token fits on a terminal of 80 columns", () => {
    const lines = Bun.stripANSI(renderQr("a".repeat(190))).split("\n");
    expect(lines.length).toBeLessThanOrEqual(29);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[0]?.length).toBeLessThanOrEqual(80);
  });
});
