// A Debian system with systemd as its init, in namespaces of its own: installed once by debootstrap into .cache, booted in
// a second on an overlay, gone with the process that holds it.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../build/run.ts";
import { ROOT } from "../rules/sources.ts";
import { CHILD_SECONDS, TEST_MILLIS } from "../support/limits.ts";

const SUITE = "bookworm";
const PACKAGES = ["systemd", "systemd-sysv", "iproute2", "nftables", "procps"];
const TREE = join(ROOT, ".cache", `debian-${SUITE}-${PACKAGES.join("-")}`);
const TOOLS = ["debootstrap", "unshare", "nsenter", "setpriv", "apt-get"];
const NAMESPACES = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"];

/** In a session of its own: a script that kills its group must not mean ours. */
const SHELL = ["setsid", "--wait", "sh", "-c"];

export function canBootDebian(): boolean {
  const isRoot = process.platform === "linux" && process.getuid?.() === 0;
  return isRoot && process.arch === "x64" && existsSync("/dev/net/tun") && TOOLS.every((tool) => Bun.which(tool));
}

/** Returns the folder of an installed system, made when it is not there. */
export function debianTree(): string {
  if (existsSync(TREE)) return TREE;
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  const scratch = mkdtempSync(join(ROOT, ".cache", "debian-"));
  try {
    const root = join(scratch, "root");
    run(["debootstrap", "--variant=minbase", `--include=${PACKAGES}`, SUITE, root, ...mirror()]);
    for (const folder of ["var/cache/apt/archives", "var/lib/apt/lists"]) {
      rmSync(join(root, folder), { recursive: true });
      mkdirSync(join(root, folder));
    }
    renameSync(root, TREE);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return TREE;
}

/** Returns where this machine gets its packages; debootstrap has a default for machines without. */
function mirror(): string[] {
  const filters = ["Created-By: Packages", `Codename: ${SUITE}`, "Component: main"];
  const places = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", ...filters]);
  return places
    .split("\n")
    .slice(0, 1)
    .filter((place) => /^https?:/.test(place));
}

export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

export class DebianSystem implements AsyncDisposable {
  readonly #holder: Bun.Subprocess;
  readonly #folder: string;
  readonly #init: number;

  private constructor(holder: Bun.Subprocess, folder: string, init: number) {
    this.#holder = holder;
    this.#folder = folder;
    this.#init = init;
  }

  /** Boots it and waits until it runs. */
  static async boot(): Promise<DebianSystem> {
    const tree = debianTree();
    const folder = mkdtempSync(join(tmpdir(), "nc-debian-"));
    // It ends with this process, however that ends.
    const apart = ["setpriv", "--pdeathsig", "KILL", "unshare", ...NAMESPACES, "--fork", "--kill-child"];
    const boot = ["sh", join(import.meta.dir, "boot-debian.sh"), tree, folder];
    const holder = Bun.spawn([...apart, ...boot], { cwd: "/", stdio: ["ignore", "ignore", "inherit"] });
    const system = new DebianSystem(holder, folder, await initOf(holder));
    const isUp = "until [ -S /run/systemd/private ]; do sleep 0.05; done; systemctl is-system-running --wait";
    const { output } = system.run(`timeout ${CHILD_SECONDS} sh -c '${isUp}'`);
    if (output.trim() !== "running") {
      await system[Symbol.asyncDispose]();
      throw new Error(`the system did not boot: ${output}`);
    }
    return system;
  }

  /** Returns what `script` prints, on either stream, run by sh inside of the system. */
  run(script: string): Outcome {
    const command = ["nsenter", "--target", String(this.#init), ...NAMESPACES, ...SHELL, `exec 2>&1\n${script}`];
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
    const result = Bun.spawnSync(command, { cwd: "/", env, stdin: "ignore", timeout: TEST_MILLIS });
    return { exitCode: result.exitCode, output: result.stdout.toString() };
  }

  /** Puts a file into the system. */
  write(path: string, content: Uint8Array, mode: number): void {
    const enter = ["nsenter", "--target", String(this.#init), "--mount"];
    const command = [...enter, "sh", "-c", `cat >'${path}' && chmod ${mode.toString(8)} '${path}'`];
    const result = Bun.spawnSync(command, { cwd: "/", stdin: content });
    if (!result.success) throw new Error(`cannot write ${path}: ${result.stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.exited;
    rmdirSync(this.#folder);
  }
}

/** Returns the process that `unshare --fork` made, once it is systemd: before, its files are still those of this machine. */
async function initOf(holder: Bun.Subprocess): Promise<number> {
  for (;;) {
    if (holder.exitCode !== null) throw new Error("the system could not be set up");
    const [child] = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").split(" ");
    if (child && readFileSync(`/proc/${child}/comm`, "utf8").trim() === "systemd") return Number(child);
    await Bun.sleep(5);
  }
}
