/** Builds the tunnel's own nftables table, which is loaded and removed as a whole. */
import type { Step } from "../step.ts";

export interface Chain {
  readonly name: string;
  /** Type, hook and priority, like "filter hook prerouting priority mangle". */
  readonly base: string;
  readonly rules: readonly string[];
}

/** Returns the step that loads the table, replacing one that a crash left; no step if there are no rules. */
export function nftSteps(interfaceName: string, chains: readonly Chain[], why: string): Step[] {
  const filled = chains.filter(({ rules }) => rules.length > 0);
  if (filled.length === 0) return [];
  const table = tableName(interfaceName);
  const input = [
    `table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    ...filled.flatMap(({ name, base, rules }) => [
      `  chain ${name} {`,
      `    type ${base}; policy accept;`,
      ...rules.map((rule) => `    ${rule}`),
      "  }",
    ]),
    "}",
    "",
  ].join("\n");
  const remove = { argv: ["nft", "delete", "table", "inet", table] };
  return [{ why, do: [{ argv: ["nft", "-f", "-"], input }], undo: [remove] }];
}

/** Returns the table's name; characters that interface names may have and table names may not become their code. */
function tableName(interfaceName: string): string {
  const safe = interfaceName.replaceAll(/[^A-Za-z0-9_-]/g, (c) => `.${c.charCodeAt(0).toString(16)}`);
  return `netcombiner-${safe}`;
}

/** Returns a set like `{ "eth0", "eth1" }`. */
export function nameSet(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(", ")} }`;
}

/** Returns a set like `{ 22, 443 }`. */
export function valueSet(values: readonly (string | number)[]): string {
  return `{ ${values.join(", ")} }`;
}
