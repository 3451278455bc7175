import { describe, expect, test } from "bun:test";
import { isRead } from "./dead.ts";

describe("isRead", () => {
  const place = (text: string) => {
    const at = text.indexOf("^");
    const before = text.slice(0, at).split("\n");
    const start = { line: before.length - 1, character: before.at(-1)!.length };
    return {
      text: text.replace("^", ""),
      range: { start, end: { ...start, character: start.character + "name".length } },
    };
  };
  const reads = [
    "return a.^name;",
    "if (a.^name === 1) b();",
    "const { ^name } = a;",
    "f(a.^name++);",
    'a["^name"]',
    "f({\n  ^name,\n}: A) {}",
  ];
  test.each(reads)("is true for %s", (line) => {
    const { text, range } = place(line);
    expect(isRead({ range }, text)).toBe(true);
  });

  const writes = [
    "a.^name = 1;",
    "  this.^name += 1;",
    "  this.^name++;",
    "return { ^name: 1 };",
    "readonly ^name: string;",
    "f({ ^name });",
  ];
  test.each(writes)("is false for %s", (line) => {
    const { text, range } = place(line);
    expect(isRead({ range }, text)).toBe(false);
  });
});
