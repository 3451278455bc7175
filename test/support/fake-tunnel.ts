/** A control socket that answers as a running tunnel would, in a folder of its own: for commands that look at tunnels. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Commands, openControl } from "../../src/daemon/control/server.ts";
import type { TunnelReport } from "../../src/monitor/tunnel-report.ts";
import { REPORT } from "./report.ts";

export const MAIN = join(import.meta.dir, "../../src/main.ts");

export class FakeTunnel implements AsyncDisposable {
  readonly folder: string;
  readonly #controls: { close(): void }[] = [];
  /** The next answer to `show`. */
  report: TunnelReport = REPORT;

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "netcombiner-fake-"));
  }

  static async open(more: Commands = {}, names: readonly string[] = ["nc0"]): Promise<FakeTunnel> {
    const tunnel = new FakeTunnel();
    for (const name of names) {
      const commands: Commands = {
        status: () => ({ ok: true, interface: name, pid: process.pid }),
        show: () => ({ ok: true, ...tunnel.report, interface: name }),
        ...more,
      };
      tunnel.#controls.push(await openControl(join(tunnel.folder, `${name}.sock`), name, commands));
    }
    return tunnel;
  }

  /** The environment in which commands find it, and nothing else. */
  get environment(): Record<string, string> {
    return { PATH: process.env.PATH ?? "", NETCOMBINER_RUN_DIR: this.folder, TERM: "xterm-256color" };
  }

  /** Runs `netcombiner` from source. */
  async run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const child = Bun.spawn([process.execPath, MAIN, ...args], {
      cwd: this.folder,
      env: this.environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const control of this.#controls) control.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
