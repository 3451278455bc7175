import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandFailure } from "../../src/host/command.ts";
import { Journal, journalPath } from "../../src/host/journal.ts";
import { StepRunner } from "../../src/host/runner.ts";
import { type Command, command, formatCommand, hookCommand, type Step } from "../../src/host/step.ts";

let folder = "";
/** What was run, in order; the journal as it stood at that moment in brackets. */
let ran: string[] = [];
let told: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-host-"));
  [ran, told] = [[], []];
});

afterEach(() => rmSync(folder, { recursive: true }));

function runnerOf(name: string, failing: Readonly<Record<string, boolean>> = {}): StepRunner {
  const path = journalPath(folder, name);
  const run = async (command: Command): Promise<void> => {
    const text = formatCommand(command);
    ran.push(`${text} [${new Journal(path).entries.map(({ why }) => why).join(" ")}]`);
    if (text in failing) throw new CommandFailure(`${text}: refused`, failing[text] === true);
  };
  return new StepRunner(new Journal(path), run, (kind, text) => told.push(`${kind}: ${text}`));
}

function step(name: string, more: Partial<Step> = {}): Step {
  return { why: name, do: [command(`do ${name}`)], undo: [command(`undo ${name}`)], ...more };
}

const left = (name: string) => new Journal(journalPath(folder, name)).entries.map(({ why }) => why);

describe("Steps", () => {
  test("are journalled before they are done and taken back newest first", async () => {
    const runner = runnerOf("nc0");
    await runner.apply([step("a"), step("b")]);
    await runner.undo();
    expect(ran).toEqual(["do a [a]", "do b [a b]", "undo b [a b]", "undo a [a]"]);
    expect(told).toEqual(["command: do a", "command: do b", "command: undo b", "command: undo a"]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("are taken back by whoever comes after a crash in the middle", async () => {
    const crashed = runnerOf("nc0", { "do b": false });
    await expect(crashed.apply([step("a"), step("b"), step("c")])).rejects.toThrow("do b: refused");
    expect(left("nc0")).toEqual(["a", "b"]);
    ran = [];
    await runnerOf("nc0", { "undo b": true }).undo();
    expect(ran).toEqual(["undo b [a b]", "undo a [a]"]);
    expect(left("nc0")).toEqual([]);
  });

  test("stay in the journal when they cannot be taken back, and do not keep others from it", async () => {
    const runner = runnerOf("nc0", { "undo b": false });
    await runner.apply([step("a"), step("b"), step("c")]);
    await expect(runner.undo()).rejects.toThrow("not undone:\nundo b: refused");
    expect(left("nc0")).toEqual(["b"]);
    await runnerOf("nc0").undo();
    expect(left("nc0")).toEqual([]);
  });

  test("can be taken back in part", async () => {
    const runner = runnerOf("nc0");
    await runner.apply([step("a"), step("b"), step("c")]);
    await runner.undo(1);
    expect(left("nc0")).toEqual(["a"]);
  });

  test("of the user's own do not stand in the way when they fail", async () => {
    const runner = runnerOf("nc0", { "exit 1": false });
    await runner.apply([{ why: "PostUp", do: [], undo: [hookCommand("exit 1"), hookCommand("true")] }]);
    await runner.undo();
    expect(left("nc0")).toEqual([]);
    expect(told).toEqual(["command: exit 1", "warning: exit 1: refused", "command: true"]);
  });

  test("that hold already leave nothing to take back", async () => {
    const runner = runnerOf("nc0");
    await runner.apply([step("a", { shared: "a", isDone: true })]);
    expect(left("nc0")).toEqual([]);
    expect(ran).toEqual([]);
  });

  test.each([true, false])(
    "that tunnels share are made by the first and taken back by the last (%p)",
    async (firstGoesFirst) => {
      const [first, second] = [runnerOf("nc0"), runnerOf("nc1")];
      await first.apply([step("a", { shared: "forwarding" })]);
      await second.apply([step("a", { shared: "forwarding", undo: [command("never")], isDone: true })]);
      expect(ran).toEqual(["do a [a]"]);
      ran = [];
      const order = firstGoesFirst ? [first, second] : [second, first];
      await order[0]?.undo();
      expect(ran).toEqual([]);
      await order[1]?.undo();
      expect(ran).toEqual(["undo a [a]"]);
      expect(readdirSync(folder)).toEqual([]);
    },
  );
});

describe("The journal", () => {
  test("is for its owner alone", async () => {
    await runnerOf("nc0").apply([step("a")]);
    expect(statSync(journalPath(folder, "nc0")).mode & 0o777).toBe(0o600);
  });

  test("is not guessed at when it is damaged", () => {
    const path = journalPath(folder, "nc0");
    for (const text of ["{", '"text"']) {
      writeFileSync(path, text);
      expect(() => new Journal(path)).toThrow("undo that by hand and remove the file");
    }
  });
});

describe("A command", () => {
  test("is told as a person would type it", () => {
    expect(formatCommand({ argv: ["ip", "rule", "add", "it's", "a b", ""] })).toBe("ip rule add 'it'\\''s' 'a b' ''");
    expect(formatCommand({ argv: ["nft", "-f", "-"], input: "a\nb\n" })).toBe("nft -f - <<'EOF'\na\nb\nEOF");
    expect(formatCommand(hookCommand("echo $HOME | cat"))).toBe("echo $HOME | cat");
  });
});
