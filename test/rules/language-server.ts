// TypeScript 7 has no API for programs, but its compiler speaks the Language Server Protocol: it knows every reference.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

export interface Range {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

export interface Location {
  /** Path from the root of the check-out. */
  readonly path: string;
  readonly range: Range;
}

export interface DocumentSymbol {
  readonly name: string;
  /** `SymbolKind` of the protocol. */
  readonly kind: number;
  readonly selectionRange: Range;
  readonly children?: readonly DocumentSymbol[];
}

interface Answer {
  readonly id?: number | string;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A language server over one check-out, for the time of a question. */
export class LanguageServer {
  readonly #root: string;
  readonly #process;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #buffer = new Uint8Array(0);
  #lastId = 0;

  private constructor(root: string) {
    this.#root = root;
    this.#process = Bun.spawn([join(root, "node_modules/.bin/tsc"), "--lsp", "--stdio"], {
      cwd: root,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    void this.#read();
  }

  /** Starts a server for the check-out at `root`. */
  static async start(root: string): Promise<LanguageServer> {
    const server = new LanguageServer(root);
    const capabilities = { textDocument: { documentSymbol: { hierarchicalDocumentSymbolSupport: true } } };
    await server.#ask("initialize", { processId: process.pid, rootUri: pathToFileURL(root).href, capabilities });
    server.#send({ method: "initialized", params: {} });
    return server;
  }

  /** Makes the server read the file. */
  open(path: string, text: string): void {
    this.#send({
      method: "textDocument/didOpen",
      params: { textDocument: { uri: this.#uri(path), languageId: "typescript", version: 1, text } },
    });
  }

  /** Returns what the open file declares, members within. */
  async symbols(path: string): Promise<readonly DocumentSymbol[]> {
    const textDocument = { uri: this.#uri(path) };
    return (await this.#ask("textDocument/documentSymbol", { textDocument })) as DocumentSymbol[];
  }

  /** Returns every place that names what is declared at `position`, the declaration left out. */
  async references(path: string, position: Range["start"]): Promise<readonly Location[]> {
    const found = (await this.#ask("textDocument/references", {
      textDocument: { uri: this.#uri(path) },
      position,
      context: { includeDeclaration: false },
    })) as readonly { readonly uri: string; readonly range: Range }[] | null;
    const start = `${pathToFileURL(this.#root).href}/`;
    return (found ?? []).map(({ uri, range }) => ({ path: uri.replace(start, ""), range }));
  }

  stop(): void {
    this.#process.kill();
  }

  #uri(path: string): string {
    return pathToFileURL(join(this.#root, path)).href;
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    this.#send({ id, method, params });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #send(message: object): void {
    const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.#process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#process.stdin.write(body);
    this.#process.stdin.flush();
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#process.stdout) {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      for (let message = this.#take(); message !== undefined; message = this.#take()) this.#handle(message);
    }
    for (const { reject } of this.#waiting.values()) reject(new Error("the language server ended"));
  }

  #take(): Answer | undefined {
    const end = Buffer.from(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length).indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const header = new TextDecoder().decode(this.#buffer.subarray(0, end));
    const length = Number(/Content-Length: (\d+)/i.exec(header)?.[1]);
    if (this.#buffer.length < end + 4 + length) return undefined;
    const body = this.#buffer.subarray(end + 4, end + 4 + length);
    this.#buffer = this.#buffer.subarray(end + 4 + length);
    return JSON.parse(new TextDecoder().decode(body)) as Answer;
  }

  #handle(message: Answer): void {
    if (message.method !== undefined) {
      // A question of the server's own (settings, watching files): nothing is configured.
      if (message.id !== undefined) this.#send({ id: message.id, result: null });
      return;
    }
    const waiting = this.#waiting.get(message.id as number);
    this.#waiting.delete(message.id as number);
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result);
  }
}
