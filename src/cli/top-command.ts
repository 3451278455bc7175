/** Implements `netcombiner top`, which shows the running tunnels live, with the rates of every link in the last minutes. */
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import { assertInterfaceName } from "./arguments.ts";
import { colours } from "./colour.ts";
import { reportAll, reportOf } from "./running.ts";
import { Screen } from "./screen.ts";
import { RateHistory, renderTop } from "./top-view.ts";

const INTERVAL_MS = 1_000;

export const topCommand = defineCommand({
  meta: { name: "netcombiner top", description: "Watch the running tunnels full-screen; q quits" },
  args: {
    interface: {
      type: "positional",
      required: false,
      description: "name of the tunnel's interface (default: all that run)",
    },
  },
  async run({ args }) {
    const name: string | undefined = args.interface;
    if (name !== undefined) assertInterfaceName(name);
    if (!process.stdout.isTTY || !process.stdin.isTTY) {
      throw new NetcombinerError("top needs a terminal; netcombiner show prints the same once", EXIT.USAGE);
    }
    // A failure is printed before the alternate screen is opened, so that it stays visible.
    let reports = await currentReports(name);
    let notice = "";
    const history = new RateHistory();
    const draw = () => screen.draw(renderTop(reports, history, size(), colours(process.stdout), notice));
    const screen = new Screen((key) => {
      if (key === "q" || key === "Q") process.exit(0);
    }, draw);
    screen.open();
    for (;;) {
      history.note(reports);
      draw();
      await Bun.sleep(INTERVAL_MS);
      try {
        reports = await currentReports(name);
        notice = "";
      } catch (error) {
        // The tunnel may come back; the last reports stay on the screen until then.
        notice = error instanceof Error ? error.message : String(error);
      }
    }
  },
});

async function currentReports(name: string | undefined): Promise<readonly TunnelReport[]> {
  const reports = name === undefined ? await reportAll() : [await reportOf(name)];
  if (reports.length > 0) return reports;
  throw new NetcombinerError("no tunnel is running", EXIT.UNAVAILABLE);
}

function size() {
  const { columns, rows } = process.stdout;
  return { columns: columns || 80, rows: rows || 24 };
}
