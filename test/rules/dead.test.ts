import { describe, expect, test } from "bun:test";
import { deadNames, isRead } from "./dead.ts";

/** What only tests use and stays, each with the reason. */
const KEPT: Readonly<Record<string, string>> = {
  memoryAt: "tests of ffi/ look at memory from the other side",
  "SocketCounters.received": "tests count what a socket did",
  "SocketCounters.sent": "tests count what a socket did",
  "TcpListener.local": "tests bind to any port and ask which it became",
  "UdpSocket.local": "tests bind to any port and ask which it became",
  "TunFormat.tso": "tests ask what the kernel agreed to",
  "TunEdge.superPackets": "tests ask whether packets were joined",
  "Log.debug": "a log has every level, though the program has nothing to say at this one",
  "PacketPool.origin": "tests place packets by hand",
  METRIC_NAMES: "the test of the documents compares them with their table",
  "DataplaneThread.onmessage": "called by the runtime",
  "DataplaneThread.onerror": "called by the runtime",
};
/** A library of its own, with the API of the tuntap2 package. */
const LIBRARY = "ffi/tuntap2.ts";
/** Milliseconds for the compiler to start and answer on a machine with other load. */
const TIMEOUT_MS = 120_000;

test(
  "the program uses all that it declares",
  async () => {
    const found = (await deadNames()).filter(({ path }) => path !== LIBRARY);
    const dead = found.filter(({ name }) => !(name in KEPT));
    expect(dead.map(({ path, name, reason }) => `${path}: ${name}: ${reason}`)).toEqual([]);
    expect(Object.keys(KEPT).filter((name) => !found.some((one) => one.name === name))).toEqual([]);
  },
  TIMEOUT_MS,
);

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
    "list.map(({ a, ^name }, i) => a + i)",
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
