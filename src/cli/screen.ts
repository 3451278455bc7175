/** Puts the terminal into full-screen mode (alternate screen, no cursor, raw keys) and restores it, however the program ends. */
import { writeSync } from "node:fs";

// Control sequences of xterm, which all terminals in use know.
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_REST = "\x1b[J";
/** Synchronized output: terminals that know it show a frame at once, others ignore it. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

const CTRL_C = "\x03";
const CTRL_Z = "\x1a";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export class Screen {
  #isOpen = false;
  readonly #onKey: (key: string) => void;
  readonly #onResize: () => void;

  /** `onKey` gets every key but Ctrl-C and Ctrl-Z, which are handled here; `onResize` is also called when the program is resumed. */
  constructor(onKey: (key: string) => void, onResize: () => void) {
    this.#onKey = onKey;
    this.#onResize = onResize;
  }

  open(): void {
    process.on("exit", () => this.close());
    for (const signal of SIGNALS) process.on(signal, () => this.#end(signal));
    process.on("SIGCONT", () => this.#enter());
    process.stdout.on("resize", this.#onResize);
    process.stdin.on("data", (chunk: Buffer) => this.#take(chunk.toString()));
    // Standard input ends when the terminal is closed.
    process.stdin.on("end", () => process.exit(0));
    this.#enter();
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    process.stdout.write(
      `${BEGIN}${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join("\r\n")}${CLEAR_REST}${END}`,
    );
  }

  /** Restores the terminal, synchronously, since the process may be about to exit. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      process.stdin.setRawMode(false);
      writeSync(1, LEAVE);
    } catch {
      // The terminal is gone.
    }
  }

  #enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    process.stdin.setRawMode(true);
    process.stdout.write(ENTER);
    this.#onResize();
  }

  #take(keys: string): void {
    for (const key of keys) {
      if (key === CTRL_C) return this.#end("SIGINT");
      if (key === CTRL_Z) this.#suspend();
      else this.#onKey(key);
    }
  }

  #suspend(): void {
    this.close();
    process.kill(process.pid, "SIGSTOP");
  }

  /** Exits with the code that a shell expects of a process ended by the signal. */
  #end(signal: (typeof SIGNALS)[number]): void {
    this.close();
    process.exit(128 + NUMBERS[signal]);
  }
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
