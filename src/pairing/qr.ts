/** A QR code out of half blocks, so that a module is about square and the whole fits on a terminal of 80 by 24. */
import { encodeQR } from "qr";

/** Modules of white around the code, as the standard wants at least for a reader that sees other things too. */
const BORDER = 2;

/** Dark on light, whatever the terminal's own colours: readers want it so. */
const ON = "\x1b[30;107m";
const OFF = "\x1b[0m";

/** Lines of text; the last one without its end. */
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
