import { describe, expect, test } from "bun:test";
import { commentFault, docComments } from "./comments.ts";
import { sourceFiles } from "./sources.ts";

describe("commentFault", () => {
  const bad: readonly (readonly [kind: "header" | "function" | "other", text: string])[] = [
    ["other", "What the loss of a packet costs: being noticed, and the way again."],
    ["other", "Whether its delay is known."],
    ["other", "How long an early packet may wait, µs; told by the sender."],
    ["other", "So long after it left a datagram is overdue."],
    ["other", "When the newest datagram was sent."],
    ["header", "Which path takes which packet. A scheduler sees a view."],
    ["function", "The round trip between the hosts of a flow, 0 while unknown."],
    ["function", "Bytes that wait of the flow with this bucket."],
    ["function", "Nothing waits any more."],
    ["function", "As `Consumer.send`."],
  ];
  test.each(bad)("minds a %s that says: %s", (kind, text) => {
    expect(commentFault({ kind, text })).toBeDefined();
  });

  const good: readonly (readonly [kind: "header" | "function" | "other", text: string])[] = [
    ["other", "Extra delay of a lost packet: detection plus retransmission, µs."],
    ["other", "True if its delay is known."],
    ["other", "When the timer fires, the path is probed."],
    ["header", "The scheduler decides which path takes which packet."],
    ["function", "Returns the round-trip time between the hosts of a flow, 0 while unknown."],
    ["function", "Marks the flow idle."],
    ["function", "Never rejects."],
    ["function", "True if the packet was seen before."],
    ["function", "A missing symbol makes the whole dlopen throw, so each optional one has its own."],
  ];
  test.each(good)("has nothing against a %s that says: %s", (kind, text) => {
    expect(commentFault({ kind, text })).toBeUndefined();
  });
});

describe("docComments", () => {
  const text = [
    "// About the file,",
    "// on two lines.",
    "",
    "/** One field, µs. */",
    "const FIELD = 1;",
    "",
    "/**",
    " * Does it.",
    " * @param a not prose",
    " */",
    "export function doIt(a: number): void {}",
    "class A {",
    "  /** Answers. */",
    "  #answer(a: number): void {}",
    "  /** @returns nothing to judge */",
    "  other(): void {}",
    "}",
  ].join("\n");

  test("tells the file's comment, functions and the rest apart, and leaves tags out", () => {
    expect(docComments({ path: "src/a.ts", text })).toEqual([
      { path: "src/a.ts", line: 1, kind: "header", text: "About the file, on two lines." },
      { path: "src/a.ts", line: 4, kind: "other", text: "One field, µs." },
      { path: "src/a.ts", line: 7, kind: "function", text: "Does it." },
      { path: "src/a.ts", line: 13, kind: "function", text: "Answers." },
    ]);
  });
});

test("every doc comment of the program and its build is a sentence", () => {
  const faults = sourceFiles(["src", "ffi", "build"])
    .flatMap(docComments)
    .flatMap((comment) => {
      const fault = commentFault(comment);
      return fault ? [`${comment.path}:${comment.line}: ${fault}: ${comment.text}`] : [];
    });
  expect(faults).toEqual([]);
});
