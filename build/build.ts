// npm run build -- [--all | --target <name>...] [--outdir <folder>] [--entry <file>]
//
// Builds dist/netcombiner for this machine, and with --all also dist/netcombiner-<target> for every target.

import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./compile.ts";
import { TARGETS, type Target, targetNamed } from "./targets.ts";
import { buildVersion } from "./version.ts";

const ROOT = join(import.meta.dir, "..");

function chosenTargets(all: boolean, names: readonly string[]): readonly Target[] {
  return all ? TARGETS : names.map(targetNamed);
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: "boolean", default: false },
      target: { type: "string", multiple: true, default: [] },
      outdir: { type: "string", default: join(ROOT, "dist") },
      entry: { type: "string", default: join(ROOT, "src", "main.ts") },
    },
  });
  return {
    targets: chosenTargets(values.all, values.target),
    outdir: resolve(values.outdir),
    entry: resolve(values.entry),
  };
}

function main(args: string[]): void {
  const { targets, outdir, entry } = parse(args);
  const version = buildVersion();
  console.log(`netcombiner ${version.version} ${version.commit}`.trim());
  for (const target of [undefined, ...targets]) {
    const started = Bun.nanoseconds();
    const outfile = join(outdir, target ? `netcombiner-${target.name}` : "netcombiner");
    const bytes = compile({ entry, outfile, version, ...(target && { target }) });
    const seconds = (Bun.nanoseconds() - started) / 1e9;
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    console.log(
      `${relative(process.cwd(), outfile).padEnd(36)} ${size.padStart(9)} ${seconds.toFixed(1).padStart(6)} s`,
    );
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
