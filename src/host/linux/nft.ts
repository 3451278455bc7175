/** The nftables table of a tunnel: one of its own, loaded and removed as a whole. */
import type { Step } from "../step.ts";

export interface Chain {
  readonly name: string;
  /** "filter hook prerouting priority mangle". */
  readonly base: string;
  readonly rules: readonly string[];
}

/** Nothing without rules. Loading replaces what a crash may have left. */
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

/** What an interface may be called and a table may not becomes its code. */
export function tableName(interfaceName: string): string {
  const safe = interfaceName.replaceAll(/[^A-Za-z0-9_-]/g, (c) => `.${c.charCodeAt(0).toString(16)}`);
  return `netcombiner-${safe}`;
}

/** `{ "eth0", "eth1" }`. */
export function nameSet(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(", ")} }`;
}

export function valueSet(values: readonly (string | number)[]): string {
  return `{ ${values.join(", ")} }`;
}
