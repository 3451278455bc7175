/** The status page: one file that needs nothing else, and a policy that allows its own script and style alone. */
import { createHash } from "node:crypto";
import text from "./page.html" with { type: "text" };

// Bun's types have HTML imported as a bundle; with type "text" it is text.
export const PAGE = text as unknown as string;

export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src ${sourceOf("style")}`,
  `script-src ${sourceOf("script")}`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Returns the hash of the text between the tags as a source (CSP level 3, section 2.3.1). */
function sourceOf(tag: "style" | "script"): string {
  const [, content] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(PAGE) ?? [];
  if (content === undefined) throw new Error(`the status page has no ${tag}`);
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}
