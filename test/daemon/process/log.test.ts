import { describe, expect, test } from "bun:test";
import { Log, syslogSink, syslogTime } from "../../../src/daemon/process/log.ts";
import type { LogLevel } from "../../../src/dataplane/messages.ts";

function recorded(level: LogLevel = "info") {
  const lines: string[] = [];
  const clock = { now: 0 };
  const log = new Log({ write: (at, text) => lines.push(`${at}: ${text}`) }, () => clock.now, level);
  return { lines, clock, log };
}

describe("Log", () => {
  test("writes what is as important as its level", () => {
    const { lines, log } = recorded("warn");
    log.error("a");
    log.warn("b");
    log.info("c");
    log.debug("d");
    expect(lines).toEqual(["error: a", "warn: b"]);
    log.level = "debug";
    log.debug("e");
    expect(lines.at(-1)).toBe("debug: e");
  });

  test("makes a line of each line and nothing of control characters", () => {
    const { lines, log } = recorded();
    log.info("a\nb\r\x1b[31m\u0085c");
    expect(lines).toEqual(["info: a", "info: b??[31m?c"]);
  });

  test("remembers the newest lines that it wrote, with their time, and not without end", () => {
    const log = new Log({ write: () => {} }, () => 0);
    log.debug("not written");
    for (let i = 0; i < 1_000; i++) log.info(`line ${i} ${"x".repeat(2_000)}`);
    expect(log.recent.length).toBe(300);
    expect(log.recent.at(-1)).toMatch(/^\d{4}-\S+Z info: line 999 x+$/);
    expect(log.recent.at(-1)?.length).toBeLessThan(600);
  });

  test("holds back what repeats and says so afterwards", () => {
    const { lines, clock, log } = recorded();
    for (let i = 0; i < 25; i++) log.log("warn", `forged ${i}`, "forged");
    log.log("warn", "other", "other");
    expect(lines.length).toBe(11);
    clock.now += 5_000_000;
    log.log("warn", "forged again", "forged");
    expect(lines.at(-1)).toBe("warn: forged again (and 15 more like it before)");
  });

  test("does not hold back what has no key", () => {
    const { lines, log } = recorded();
    for (let i = 0; i < 100; i++) log.info("x");
    expect(lines.length).toBe(100);
  });
});

describe("syslogSink", () => {
  test("writes datagrams as syslog(3) does", () => {
    const sent: string[] = [];
    const sink = syslogSink("nc0", 12, (datagram) => sent.push(new TextDecoder().decode(datagram)));
    sink.write("warn", "hello");
    expect(sent[0]).toMatch(/^<28>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d netcombiner\[12\]: nc0 warn: hello$/);
  });

  test("pads the day with a blank", () => {
    expect(syslogTime(new Date(2026, 10, 3, 5, 6, 7))).toBe("Nov  3 05:06:07");
  });
});
