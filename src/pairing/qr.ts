/** Draws a QR code of half blocks: a module is about square, and the code fits on a terminal of 80 columns. */
import { encodeQR } from "qr";

/** Width of the white border, in modules. */
const BORDER = 2;

/** Escape sequence for black on white, which readers need whatever the terminal's colours are. */
const ON = "\x1b[30;107m";
const OFF = "\x1b[0m";

/** Returns lines of text, without a line break after the last one. */
export function renderQr(text: string): string {
  const rows = encodeQR(text, "raw", { ecc: "low", border: BORDER });
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    const [upper = [], lower = []] = [rows[y], rows[y + 1]];
    lines.push(`${ON}${upper.map((isDark, x) => halfBlock(isDark, lower[x] === true)).join("")}${OFF}`);
  }
  return lines.join("\n");
}

function halfBlock(isUpperDark: boolean, isLowerDark: boolean): string {
  if (isUpperDark) return isLowerDark ? "█" : "▀";
  return isLowerDark ? "▄" : " ";
}
