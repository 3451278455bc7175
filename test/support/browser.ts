/** Debian's chromium without a screen, spoken to by the DevTools protocol. Nothing of it is left when it is closed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

type Result = Record<string, unknown>;

export const hasBrowser = Bun.which("chromium") !== null;

export class Browser {
  readonly #process: Bun.Subprocess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Result>>();
  /** Text that pages wrote to their consoles or threw, and loads that their policies refused. */
  readonly complaints: string[] = [];
  #requests = 0;

  private constructor(process: Bun.Subprocess, folder: string, socket: WebSocket) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#handle(JSON.parse(String(data)));
  }

  static async open(): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), "netcombiner-browser-"));
    const process = Bun.spawn(["chromium", ...FLAGS, `--user-data-dir=${folder}`, "about:blank"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const socket = new WebSocket(await debuggingAddress(process.stderr));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("chromium's debugging socket does not open"));
    await promise;
    return new Browser(process, folder, socket);
  }

  /** Opens a new page at `url`. */
  async page(url: string): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, String(sessionId));
    for (const domain of ["Page", "Runtime", "Log"]) await page.send(`${domain}.enable`);
    await page.send("Page.navigate", { url });
    return page;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++this.#requests;
    const answer = Promise.withResolvers<Result>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    return answer.promise;
  }

  async close(): Promise<void> {
    // Asked, it ends its children before itself; killed, they would write to the folder after it is gone.
    void this.send("Browser.close");
    await this.#process.exited;
    this.#socket.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20 });
  }

  #handle(message: {
    id?: number;
    result?: Result;
    error?: { message: string };
    method?: string;
    params?: Result;
  }): void {
    if (message.id === undefined) return this.#note(message.method ?? "", message.params ?? {});
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) answer?.reject(new Error(message.error.message));
    else answer?.resolve(message.result ?? {});
  }

  #note(method: string, params: Result): void {
    const isComplaint = /^(Log\.entryAdded|Runtime\.(exceptionThrown|consoleAPICalled))$/.test(method);
    if (isComplaint) this.complaints.push(JSON.stringify(params));
  }
}

export class Page {
  readonly #browser: Browser;
  readonly #session: string;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method: string, params: object = {}): Promise<Result> {
    return this.#browser.send(method, params, this.#session);
  }

  /** Returns the value of an expression in the page; awaits it if it is a promise. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return (answer.result as { value: T }).value;
  }

  /** Waits, frame by frame, until the expression is true. */
  async until(expression: string): Promise<void> {
    await this.evaluate(
      `new Promise((done) => { const look = () => ${expression} ? done() : requestAnimationFrame(look); look(); })`,
    );
  }

  async screenshot(width: number, height: number, scheme: "light" | "dark"): Promise<Uint8Array> {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(String(data), "base64");
  }
}

async function debuggingAddress(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text = "";
    // Read to the end, or the pipe would fill.
    for await (const chunk of stderr) {
      text += decoder.decode(chunk, { stream: true });
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address) resolve(address);
    }
    reject(new Error(`chromium ended: ${text}`));
  };
  void read();
  return await promise;
}
