/**
 * The log: lines with a level, limited in rate for each kind of message, to standard error or to syslog. Callers keep secrets out of the
 * text. It may hold names and reasons from outside, so control characters are replaced.
 */
import { MICROS_PER_SECOND, type Micros } from "../../clock.ts";
import type { LogLevel } from "../../dataplane/messages.ts";
import { RateLimit } from "./rate-limit.ts";

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** Severities of RFC 5424, section 6.2.1. */
const SEVERITY: Record<LogLevel, number> = { error: 3, warn: 4, info: 6, debug: 7 };

const BURST = 10;
const INTERVAL: Micros = 5 * MICROS_PER_SECOND;
/** Lines kept for a bug report, and characters of each. */
const RECENT_MAX = 300;
const LINE_MAX = 500;

/** The destination of the lines. */
export interface LogSink {
  write(level: LogLevel, text: string): void;
}

export class Log {
  /** The least important level that is written. */
  level: LogLevel;
  /** The newest lines written, with their time, for a bug report. */
  readonly recent: string[] = [];
  readonly #limit = new RateLimit(BURST, INTERVAL);
  readonly #sink: LogSink;
  readonly #now: () => Micros;

  /** @param now a monotonic clock */
  constructor(sink: LogSink, now: () => Micros, level: LogLevel = "info") {
    this.#sink = sink;
    this.#now = now;
    this.level = level;
  }

  error(text: string): void {
    this.log("error", text);
  }

  warn(text: string): void {
    this.log("warn", text);
  }

  info(text: string): void {
    this.log("info", text);
  }

  debug(text: string): void {
    this.log("debug", text);
  }

  /** Logs each line of `text`. Messages with the same `key` count as one kind; without a key there is no limit. */
  log(level: LogLevel, text: string, key?: string): void {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.level)) return;
    const verdict = key === undefined ? undefined : this.#limit.check(this.#now(), `${level}:${key}`);
    if (verdict?.passes === false) return;
    const suffix = verdict?.suppressed ? ` (and ${verdict.suppressed} more like it before)` : "";
    for (const line of `${text}${suffix}`.split("\n")) {
      this.#sink.write(level, plain(line));
      this.#remember(`${new Date().toISOString()} ${level}: ${plain(line).slice(0, LINE_MAX)}`);
    }
  }

  #remember(line: string): void {
    this.recent.push(line);
    if (this.recent.length > RECENT_MAX) this.recent.shift();
  }
}

/** Replaces the characters by which text from outside could move the cursor or begin a line of its own. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, "?");
}

/** Writes lines for a terminal or a file: time, interface, level. */
export function stderrSink(interfaceName: string): LogSink {
  return { write: (level, text) => console.error(`${new Date().toISOString()} ${interfaceName} ${level}: ${text}`) };
}

/** Writes lines for the journal, which has a clock of its own and reads the level from the prefix (sd-daemon(3)). */
export function journalSink(interfaceName: string): LogSink {
  return { write: (level, text) => console.error(`<${SEVERITY[level]}>${interfaceName}: ${text}`) };
}

/** LOG_DAEMON of syslog(3). */
const FACILITY = 3;

/** Writes lines for the system's log daemon, in the form of syslog(3); `send` takes one datagram. */
export function syslogSink(interfaceName: string, pid: number, send: (datagram: Uint8Array) => void): LogSink {
  const encoder = new TextEncoder();
  return {
    write(level, text) {
      const priority = FACILITY * 8 + SEVERITY[level];
      const line = `<${priority}>${syslogTime(new Date())} netcombiner[${pid}]: ${interfaceName} ${level}: ${text}`;
      send(encoder.encode(line));
    },
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Returns "Nov  3 05:06:07", local time (RFC 3164, section 4.1.2). */
export function syslogTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}
