import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMAND_NAMES } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/cli.ts";
import { completion, models, SHELL_NAMES, type Shell } from "../../src/cli/completion-command.ts";
import { FIELD_NAMES } from "../../src/cli/dump.ts";
import type { Program } from "../../src/cli/program.ts";
import { startCommand } from "../../src/cli/start-command.ts";

const PROGRAM: Program = {
  entry: "",
  createThread: () => {
    throw new Error("no command runs here");
  },
};
const ALL = commands(PROGRAM);

/** What `script` of a shell prints, with the completions of that shell in `$COMPLETIONS`. */
function inShell(shell: Shell, script: string): { code: number; out: string; err: string } {
  const folder = mkdtempSync(join(tmpdir(), "netcombiner-completion-"));
  try {
    const file = join(folder, "_netcombiner");
    writeFileSync(file, completion(shell, startCommand(PROGRAM), ALL));
    const found = Bun.spawnSync([shell, "-c", script], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", HOME: folder, COMPLETIONS: file },
      stdin: "ignore",
    });
    return { code: found.exitCode, out: found.stdout.toString(), err: found.stderr.toString() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const has = (shell: Shell) => Bun.which(shell) !== null;

describe("Completions", () => {
  test("know every command, flag and choice, as they are read from the commands", () => {
    expect(models(ALL).map(({ name }) => name)).toEqual([...COMMAND_NAMES]);
    for (const shell of SHELL_NAMES) {
      const text = completion(shell, startCommand(PROGRAM), ALL);
      const flag = (name: string) => (shell === "fish" ? `-l ${name} ` : `--${name}`);
      for (const { name, flags, words } of models(ALL)) {
        expect(text).toContain(name);
        expect(flags.filter((one) => !text.includes(flag(one.name)))).toEqual([]);
        expect(words.filter(({ choices }) => !text.includes(choices.join(" ")))).toEqual([]);
      }
    }
    expect(completion("bash", startCommand(PROGRAM), ALL)).toContain(`dump ${FIELD_NAMES.join(" ")}`);
  });

  /** The words that bash would offer after `line`, whose last word is being typed. */
  function offered(...line: string[]): string[] {
    const words = line.map((word) => `'${word}'`).join(" ");
    const script = `. "$COMPLETIONS"; COMP_WORDS=(netcombiner ${words}); COMP_CWORD=${line.length}; _netcombiner; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { code, out, err } = inShell("bash", script);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return out.split("\n").filter(Boolean);
  }

  test.skipIf(!has("bash"))("work in bash", () => {
    expect(offered("sh")).toEqual(["show"]);
    expect(offered("")).toEqual(expect.arrayContaining([...COMMAND_NAMES]));
    expect(offered("show", "nc0", "r")).toEqual(["rate", "rtt"]);
    expect(offered("show", "--j")).toEqual(["--json"]);
    expect(offered("show", "--json", "nc0", "du")).toEqual(["dump"]);
    expect(offered("metrics", "")).toEqual(["print", "write"]);
    expect(offered("check", "-c", "_net")).toEqual(["_netcombiner"]);
    expect(offered("check", "-c", "x.conf", "--c")).toEqual(["--config"]);
    expect(offered("nc0", "--c")).toEqual(["--config"]);
    expect(offered("completion", "")).toEqual([...SHELL_NAMES]);
  });

  test.skipIf(!has("zsh"))("are read by zsh without a complaint", () => {
    const script =
      'zsh -n "$COMPLETIONS"; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; autoload -Uz +X _netcombiner; print $_comps[netcombiner]';
    expect(inShell("zsh", script)).toEqual({ code: 0, out: "_netcombiner\n", err: "" });
  });

  test.skipIf(!has("fish"))("work in fish", () => {
    const complete = (line: string) =>
      inShell("fish", `source $COMPLETIONS; complete -C '${line}'`)
        .out.split("\n")
        .map((row) => row.split("\t")[0]);
    expect(complete("netcombiner sho")).toEqual(["show", ""]);
    expect(complete("netcombiner show --js")).toEqual(["--json", ""]);
    expect(complete("netcombiner show nc0 rt")).toEqual(["rtt", ""]);
    expect(complete("netcombiner metrics pr")).toEqual(["print", ""]);
  });
});
