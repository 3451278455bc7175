// The full-screen view on a terminal of its own, read back as it draws.
import { describe, expect, test } from "bun:test";
import { EXIT } from "../../src/errors.ts";
import { FakeTunnel, MAIN } from "../support/fake-tunnel.ts";
import { REPORT } from "../support/report.ts";

/** `netcombiner` on a terminal of its own. */
class OnTerminal {
  readonly child: Bun.Subprocess;
  #text = "";
  #news = Promise.withResolvers<void>();

  constructor(tunnel: FakeTunnel, columns: number, rows: number, ...args: string[]) {
    this.child = Bun.spawn([process.execPath, MAIN, ...args], {
      cwd: tunnel.folder,
      env: tunnel.environment,
      terminal: {
        cols: columns,
        rows,
        data: (_terminal, bytes) => {
          this.#text += new TextDecoder().decode(bytes);
          this.#news.resolve();
          this.#news = Promise.withResolvers();
        },
      },
    });
  }

  get text(): string {
    return this.#text;
  }

  /** The lines of the newest whole frame, without colours. */
  get frame(): string[] {
    const frames = this.#text.split("\x1b[H").filter((frame) => frame.includes("\x1b[J"));
    const [frame = ""] = frames.at(-1)?.split("\x1b[J") ?? [];
    // The terminal may add a carriage return of its own.
    return Bun.stripANSI(frame).split(/\r+\n/);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.#text}`);
      await Promise.race([this.#news.promise, this.child.exited]);
    }
  }

  /** Presses keys. */
  type(keys: string): void {
    this.child.terminal?.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.child.terminal?.resize(columns, rows);
  }
}

const ENTERED = "\x1b[?1049h\x1b[?25l";
const RESTORED = "\x1b[?25h\x1b[?1049l";

describe("netcombiner top", () => {
  test("draws what runs, follows it and the terminal's size, and gives the terminal back on q", async () => {
    await using tunnel = await FakeTunnel.open();
    const top = new OnTerminal(tunnel, 90, 20, "top", "nc0");
    await top.until(() => top.frame[1]?.includes("fibre") === true);
    expect(top.text).toStartWith(ENTERED);
    expect(top.frame).toHaveLength(20);
    expect(top.frame[2]).toContain("212.00 Mbit/s");
    tunnel.report = { ...REPORT, uptime: 86_400 };
    await top.until(() => top.frame[0]?.includes("up 1 day") === true);
    top.resize(60, 10);
    await top.until(() => top.frame.length === 10);
    for (const line of top.frame) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(60);
    top.type("xq");
    expect(await top.child.exited).toBe(0);
    expect(top.text).toEndWith(RESTORED);
  });

  test.each([
    ["Ctrl-C", 130, (top: OnTerminal) => top.type("\x03")],
    ["SIGTERM", 143, (top: OnTerminal) => top.child.kill("SIGTERM")],
    ["SIGHUP", 129, (top: OnTerminal) => top.child.kill("SIGHUP")],
  ] as const)("gives the terminal back on %s", async (_what, code, end) => {
    await using tunnel = await FakeTunnel.open();
    const top = new OnTerminal(tunnel, 80, 24, "top");
    await top.until(() => top.frame.length === 24);
    end(top);
    expect(await top.child.exited).toBe(code);
    expect(top.text).toEndWith(RESTORED);
  });

  test("says so while the tunnel is away, and goes on when it is back", async () => {
    let isAway = false;
    const tunnelReport = () => (isAway ? { ok: false as const, error: "is away" } : { ok: true as const, ...REPORT });
    await using tunnel = await FakeTunnel.open({ show: tunnelReport });
    const top = new OnTerminal(tunnel, 80, 24, "top", "nc0");
    await top.until(() => top.frame.length === 24);
    isAway = true;
    await top.until(() => top.frame.at(-2) === "is away");
    expect(top.frame[0]).toStartWith("nc0");
    isAway = false;
    await top.until(() => top.frame.at(-2) !== "is away");
    top.type("q");
    expect(await top.child.exited).toBe(0);
  });

  test("needs a terminal and a tunnel", async () => {
    await using tunnel = await FakeTunnel.open();
    expect(await tunnel.run("top")).toMatchObject({ code: EXIT.USAGE, out: "" });
    const none = new OnTerminal(tunnel, 80, 24, "top", "nc9");
    expect(await none.child.exited).toBe(EXIT.UNAVAILABLE);
    expect(none.text).toContain("nc9 is not running");
    expect(none.text).not.toContain("\x1b[?1049h");
  });
});
