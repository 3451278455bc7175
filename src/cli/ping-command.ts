/** Implements `netcombiner ping`, which measures the round-trip time to the peer over each path, and over the path that a lone packet takes. */
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import { formatMillis } from "../monitor/units.ts";
import type { Echo } from "../portal/query.ts";
import { usageError } from "./arguments.ts";
import { askTunnel, chosenInterface, reportOf } from "./running.ts";

const DEFAULT_ROUNDS = 4;
const ROUNDS_MAX = 1_000_000;
const INTERVAL_MS = 1_000;
/** Timeout of an answer. */
const TIMEOUT_MS = 2_000;
/** Stands for the path that the tunnel chooses for a lone packet. */
const BOND = "tunnel";

/** Echo as the daemon reports it, with the name of the link. */
export interface NamedEcho extends Omit<Echo, "link"> {
  readonly link: string;
}

export const pingCommand = defineCommand({
  meta: {
    name: "netcombiner ping",
    description: "Measure the round-trip time to the peer over each path and over the tunnel as a whole",
  },
  args: {
    interface: { type: "positional", required: false, description: "name of the tunnel's interface, if several run" },
    link: { type: "string", valueHint: "NAME", description: "over this link only" },
    count: { type: "string", alias: "c", valueHint: "N", description: "number of rounds, one per second (default: 4)" },
    json: { type: "boolean", description: "print one JSON object for each round and path" },
  },
  async run({ args }) {
    const rounds = parseCount(args.count);
    const interfaceName = await chosenInterface(args.interface);
    const tally = new Tally();
    let isEnding = false;
    process.once("SIGINT", () => {
      isEnding = true;
    });
    for (let round = 0; round < rounds && !isEnding; round++) {
      const nextAt = performance.now() + INTERVAL_MS;
      for (const line of await pingOnce(interfaceName, args.link)) {
        tally.note(line);
        console.log(args.json ? JSON.stringify({ round, ...line }) : renderLine(line));
      }
      if (round + 1 < rounds) await Bun.sleep(Math.max(0, nextAt - performance.now()));
    }
    if (!args.json) console.log(`\n${tally.render()}`);
    if (!tally.isGood)
      throw new NetcombinerError(
        "no answer from the peer; netcombiner netcheck looks for the reason",
        EXIT.UNAVAILABLE,
      );
  },
});

/** Outcome of one round over one path, or over the tunnel. */
export interface PingLine {
  /** Name of the path or link, or "tunnel". */
  readonly path: string;
  readonly remote: string;
  /** Round-trip time, µs; undefined without an answer. */
  readonly rtt: number | undefined;
  readonly reason: string;
}

/** Runs one round. A link without a path has a line too, with the reason. @throws NetcombinerError for an unknown link */
async function pingOnce(interfaceName: string, link: string | undefined): Promise<PingLine[]> {
  const [echoes, { snapshot }] = await Promise.all([echoesOf(interfaceName), reportOf(interfaceName)]);
  const links = snapshot.links.filter(({ name }) => link === undefined || name === link);
  if (links.length === 0) {
    throw usageError(`no link ${link}; there are ${snapshot.links.map(({ name }) => name).join(", ")}`);
  }
  const lines = links.flatMap(({ name, reason }): PingLine[] => {
    const own = echoes.filter((echo) => !echo.isBest && echo.link === name);
    if (own.length === 0) return [{ path: name, remote: "", rtt: undefined, reason }];
    return own.map(({ path, remote, rtt }) => ({ path, remote, rtt, reason: NO_ANSWER }));
  });
  if (link !== undefined) return lines;
  const best = echoes.find((echo) => echo.isBest);
  const via = best ? `over ${best.path}` : "";
  return [...lines, { path: BOND, remote: via, rtt: best?.rtt, reason: best ? NO_ANSWER : "no link is up" }];
}

const NO_ANSWER = `no answer within ${TIMEOUT_MS / 1_000} s`;

/** Asks the daemon for one echo over each path. @throws NetcombinerError when the tunnel does not run */
async function echoesOf(interfaceName: string): Promise<NamedEcho[]> {
  const { echoes } = await askTunnel(interfaceName, "ping", {
    parameters: { wait: TIMEOUT_MS },
    timeout: 3 * TIMEOUT_MS,
  });
  return echoes as NamedEcho[];
}

function renderLine({ path, remote, rtt, reason }: PingLine): string {
  if (rtt === undefined) return `${path}: ${reason}`;
  return `${path}: ${formatMillis(rtt)}${remote === "" ? "" : ` (${remote})`}`;
}

/** Collects the round-trip times of all rounds by path. */
export class Tally {
  readonly #times = new Map<string, (number | undefined)[]>();

  note({ path, rtt }: PingLine): void {
    this.#times.set(path, [...(this.#times.get(path) ?? []), rtt]);
  }

  /** True if the tunnel answered in any round; with one link alone, if any path did. */
  get isGood(): boolean {
    const answered = [...this.#times]
      .filter(([, times]) => times.some((rtt) => rtt !== undefined))
      .map(([path]) => path);
    return this.#times.has(BOND) ? answered.includes(BOND) : answered.length > 0;
  }

  render(): string {
    return [...this.#times].map(([path, times]) => summary(path, times)).join("\n");
  }
}

function summary(path: string, times: readonly (number | undefined)[]): string {
  const answered = times.filter((rtt) => rtt !== undefined);
  const counts = `${answered.length} of ${times.length} answered`;
  if (answered.length === 0) return `${path}: ${counts}`;
  const mean = answered.reduce((a, b) => a + b, 0) / answered.length;
  const [min, avg, max] = [Math.min(...answered), mean, Math.max(...answered)].map(formatMillis);
  return `${path}: ${counts}, rtt min ${min}, mean ${avg}, max ${max}`;
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ROUNDS;
  const count = Number(text);
  if (/^\d{1,7}$/.test(text) && count >= 1 && count <= ROUNDS_MAX) return count;
  throw usageError(`-c: expected a number from 1 to ${ROUNDS_MAX}; given ${text}`);
}
