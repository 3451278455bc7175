// Compiles the sources into one binary, with a Bun runtime.
//
// Never strip the result: the program is data behind the executable's sections, and without it the file is a plain `bun`.

import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run.ts";
import { runtimePath } from "./runtimes.ts";
import type { Target } from "./targets.ts";
import type { BuildVersion } from "./version.ts";

/** Keeps `BUN_OPTIONS=--preload=FILE` from running any file as root. The `=` matters: with a space the flag has no effect. */
export const STRICT_FLAG = "--disallow-code-generation-from-strings=strict";

export interface CompileOptions {
  /** Entry point; the worker of the data plane is the same file, told apart by `Bun.isMainThread`. */
  readonly entry: string;
  readonly outfile: string;
  readonly version: BuildVersion;
  /** Machine to build for; by default this one, with the Bun that runs this, so that a musl machine gets a musl binary. */
  readonly target?: Target;
}

/** Writes `outfile` and returns its size in bytes. Throws and keeps an older `outfile` when Bun fails. */
export function compile(options: CompileOptions): number {
  const folder = dirname(options.outfile);
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, ".build-"));
  try {
    // The name is embedded in the binary, so it is the same for every target and every build.
    const unfinished = join(scratch, "netcombiner");
    run([process.execPath, ...compileArguments(options, unfinished)], { cwd: scratch, env: buildEnvironment() });
    renameSync(unfinished, options.outfile);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return statSync(options.outfile).size;
}

function compileArguments(options: CompileOptions, outfile: string): string[] {
  const { target, version } = options;
  const base = target ? [`--target=${target.bunTarget}`, `--compile-executable-path=${runtimePath(target)}`] : [];
  return [
    "build",
    "--compile",
    ...base,
    "--minify",
    // Bytecode makes it start a third faster, for 0.3 MB; top-level await needs the format.
    "--bytecode",
    "--format=esm",
    // Files in the folder in which the daemon is started must not change what it does.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-tsconfig",
    "--no-compile-autoload-package-json",
    `--compile-exec-argv=${STRICT_FLAG}`,
    "--define",
    `NETCOMBINER_VERSION=${JSON.stringify(version.version)}`,
    "--define",
    `NETCOMBINER_COMMIT=${JSON.stringify(version.commit)}`,
    `--outfile=${outfile}`,
    options.entry,
  ];
}

/** Returns the environment without BUN_OPTIONS and the like, which must not influence the binary. */
function buildEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("BUN_")));
}
