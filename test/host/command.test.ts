import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandFailure, runCommand } from "../../src/host/command.ts";
import { hookCommand } from "../../src/host/step.ts";

async function failureOf(run: Promise<void>): Promise<CommandFailure> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandFailure);
  return error as CommandFailure;
}

describe("A command", () => {
  test("is run without a shell, in an environment of its own, with its input", async () => {
    await runCommand({ argv: ["test", "$HOME", "=", "$HOME"] });
    await runCommand({ argv: ["sh", "-c", '[ "$LC_ALL" = C ] && [ -z "$HOME" ] && [ "$(pwd)" = / ]'] });
    await runCommand({ argv: ["grep", "-q", "^line$"], input: "line\n" });
  });

  test("that fails is told with its words and what it said", async () => {
    const failure = await failureOf(runCommand({ argv: ["sh", "-c", "echo no luck >&2; exit 3"] }));
    expect(failure.message).toBe("sh -c 'echo no luck >&2; exit 3': no luck");
    expect(failure.isHarmless).toBe(false);
    expect((await failureOf(runCommand({ argv: ["false"] }))).message).toBe("false: exit code 1");
  });

  test("that finds nothing there did no harm", async () => {
    const complaint = "echo RTNETLINK answers: No such process >&2; exit 2";
    expect((await failureOf(runCommand({ argv: ["sh", "-c", complaint] }))).isHarmless).toBe(true);
  });

  test("that is not installed is told from one that fails", async () => {
    const failure = await failureOf(runCommand({ argv: ["nc-no-such-program"] }));
    expect(failure.message).toBe("nc-no-such-program is not installed");
    expect(failure.isHarmless).toBe(false);
  });

  test("of the user's own may leave something running behind it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "netcombiner-command-"));
    const fifo = join(folder, "fifo");
    await runCommand({ argv: ["mkfifo", fifo] });
    // Each waits, with our end of its output, until somebody writes: after we have gone on.
    await runCommand(hookCommand(`cat ${fifo} & exit 0`));
    const failure = await failureOf(runCommand(hookCommand(`cat ${fifo} & echo gone >&2; exit 1`)));
    expect(failure.message).toEndWith("exit 1: gone");
    await runCommand(hookCommand(`echo > ${fifo}`));
    rmSync(folder, { recursive: true });
  });
});
