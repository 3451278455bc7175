// Asks the npm registry for known vulnerabilities of the packages in package-lock.json, those of the build included.

/** Longest wait for the registry, ms. */
const TIMEOUT_MS = 20_000;

/** Verdict on an answer of `npm audit --json`. */
export interface AuditVerdict {
  /** False only if a package is known to be vulnerable; a registry that does not answer is no reason to fail. */
  readonly isGood: boolean;
  readonly text: string;
}

interface Answer {
  readonly error?: { readonly summary?: string };
  readonly message?: string;
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity?: string; readonly range?: string }>>;
}

/** Runs npm audit, prints the verdict and returns true unless a package is known to be vulnerable. */
export function audit(): boolean {
  const command = ["npm", "audit", "--json", "--fetch-retries=0", `--fetch-timeout=${TIMEOUT_MS}`];
  const { stdout } = Bun.spawnSync(command, { stdin: "ignore", stderr: "ignore", timeout: 2 * TIMEOUT_MS });
  const { isGood, text } = judgeAudit(stdout.toString());
  console.log(text);
  return isGood;
}

/** Returns the verdict on what npm printed. */
export function judgeAudit(output: string): AuditVerdict {
  const answer = parse(output);
  if (answer?.vulnerabilities === undefined) {
    const reason = answer?.error?.summary || answer?.message || "no answer";
    return { isGood: true, text: `audit skipped: the registry could not be asked (${reason.split("\n")[0]})` };
  }
  const found = Object.entries(answer.vulnerabilities);
  if (found.length === 0) return { isGood: true, text: "audit: no known vulnerability" };
  const lines = found.map(([name, { severity, range }]) => `audit: ${name} ${range ?? ""}: ${severity ?? "unknown"}`);
  return { isGood: false, text: [...lines, "audit: see npm audit, and upgrade the packages"].join("\n") };
}

function parse(output: string): Answer | undefined {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}
