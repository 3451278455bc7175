/** Implements `netcombiner show`, which prints the state of the running tunnels. */
import { defineCommand } from "citty";
import { jsonReport } from "../monitor/health.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import { assertInterfaceName, usageError } from "./arguments.ts";
import { colours } from "./colour.ts";
import { FIELD_NAMES, renderDump, renderField } from "./dump.ts";
import { reportAll, reportOf } from "./running.ts";
import { renderShow } from "./show-view.ts";

const WATCH_MS = 1_000;
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";
/** Words that stand for the running tunnels, as in wg(8); a tunnel of that name is shown with the others. */
const ALL = "all";
const NAMES_ONLY = "interfaces";

export const showCommand = defineCommand({
  meta: {
    name: "netcombiner show",
    description: "Show the running tunnels, their links and paths, and the findings of the health check",
  },
  args: {
    interface: {
      type: "positional",
      required: false,
      description: `name of one interface, "${ALL}" (the default), or "${NAMES_ONLY}" for their names alone`,
    },
    field: {
      type: "positional",
      required: false,
      description: "for scripts: one field, values separated by tabs; dump has all",
      valueHint: ["dump", ...FIELD_NAMES].join("|"),
    },
    json: { type: "boolean", description: "print everything as JSON: an object for one interface, otherwise an array" },
    watch: { type: "boolean", description: "repeat every second until Ctrl-C" },
  },
  async run({ args }) {
    const view = chooseView(args.interface, args.field, args.json === true, args.watch === true ? 0 : 2);
    if (!args.watch) return print(await view());
    process.on("SIGINT", () => process.exit(0));
    const clear = process.stdout.isTTY && !args.json ? CLEAR : "";
    for (;;) {
      process.stdout.write(clear);
      print(await view());
      await Bun.sleep(WATCH_MS);
    }
  },
});

function chooseView(name: string | undefined, field: string | undefined, isJson: boolean, indent: number) {
  const isOne = name !== undefined && name !== ALL && name !== NAMES_ONLY;
  if (isOne) assertInterfaceName(name);
  if (field !== undefined && field !== "dump" && !FIELD_NAMES.includes(field)) {
    throw usageError(`unknown field "${field}": expected dump, ${FIELD_NAMES.join(", ")}`);
  }
  if (field !== undefined && isJson) throw usageError("a field and --json exclude each other");
  if (name === NAMES_ONLY && (field !== undefined || isJson)) {
    throw usageError(`show ${NAMES_ONLY} prints names alone; use show ${ALL} with a field or --json`);
  }
  return async (): Promise<string> => {
    const reports = isOne ? [await reportOf(name)] : await reportAll();
    if (name === NAMES_ONLY) return reports.map((report) => report.interface).join(" ");
    if (isJson) return renderJson(reports, isOne, indent);
    if (field !== undefined) return renderRows(reports, field, isOne);
    const c = colours(process.stdout);
    return reports.map((report) => renderShow(report, c)).join("\n\n") || "no tunnel is running";
  };
}

function renderJson(reports: readonly TunnelReport[], isOne: boolean, indent: number): string {
  const values = reports.map(jsonReport);
  return JSON.stringify(isOne ? values[0] : values, undefined, indent);
}

function renderRows(reports: readonly TunnelReport[], field: string, isOne: boolean): string {
  const texts = reports.map((report) =>
    field === "dump" ? renderDump(report) : renderField(report, field, isOne ? [] : [report.interface]),
  );
  return texts.filter((text) => text).join("\n");
}

/** Prints a text, and nothing for an empty one. */
function print(text: string): void {
  if (text !== "") console.log(text);
}
