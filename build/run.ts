// Runs programs for the build, which must succeed.

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string | undefined>;
}

/** Runs `command` and returns its standard output. Throws with everything that it printed if it exits with anything but 0. */
export function run(command: readonly string[], options: RunOptions = {}): string {
  const result = Bun.spawnSync([...command], {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? process.env,
    stdin: "ignore",
  });
  const output = result.stdout.toString();
  if (result.exitCode !== 0) {
    throw new Error(`${command.join(" ")} failed (exit code ${result.exitCode})\n${output}${result.stderr}`);
  }
  return output;
}
