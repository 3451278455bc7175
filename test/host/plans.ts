/** Configurations of the planners' tests, and plans as text. */
import { validateConfiguration } from "../../src/config/load.ts";
import type { SystemRequest } from "../../src/host/request.ts";
import type { SshSession } from "../../src/host/ssh-session.ts";
import { formatCommand, type Step } from "../../src/host/step.ts";

export function requestOf(host: string, peers = "[Peer]", ssh?: SshSession): SystemRequest {
  const text = `[Host]\nSecurity = none\n${host}\n${peers}\n`;
  const { configuration, faults } = validateConfiguration({ text, mode: 0o600 }, "", () => ({ problem: "" }));
  if (!configuration) throw new Error(faults.map((fault) => fault.text).join("\n"));
  return { name: "nc0", configuration, ssh };
}

/** What is done, a line for each; steps that hold already are left out. */
export function doneLines(steps: readonly Step[]): string[] {
  return steps.filter(({ isDone }) => !isDone).flatMap((step) => step.do.flatMap(linesOf));
}

/** What is undone, in the order of undoing. */
export function undoneLines(steps: readonly Step[]): string[] {
  return steps
    .filter(({ isDone }) => !isDone)
    .toReversed()
    .flatMap((step) => step.undo.flatMap(linesOf));
}

function linesOf(command: Step["do"][number]): string[] {
  return formatCommand(command).split("\n");
}

export const SSH: SshSession = {
  client: "198.51.100.77",
  clientPort: 50_000,
  serverPort: 2222,
};
