/** `netcombiner ping`: round trips to the peer by each link, and by the whole tunnel as a lone packet takes it. */
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import { formatMillis } from "../monitor/units.ts";
import type { Echo } from "../portal/query.ts";
import { usageError } from "./arguments.ts";
import { askTunnel, chosenInterface, reportOf } from "./running.ts";

const DEFAULT_ROUNDS = 4;
const ROUNDS_MAX = 1_000_000;
const INTERVAL_MS = 1_000;
/** An answer that comes later is none. */
const WAIT_MS = 2_000;
const BOND = "tunnel";

/** As the daemon answers: links by name. */
export interface NamedEcho extends Omit<Echo, "link"> {
  readonly link: string;
}

export const pingCommand = defineCommand({
  meta: { name: "netcombiner ping", description: "Round trips to the peer, by each link and by the tunnel as a whole" },
  args: {
    interface: { type: "positional", required: false, description: "name of the tunnel's interface, if several run" },
    link: { type: "string", valueHint: "NAME", description: "by this link only" },
    count: { type: "string", alias: "c", valueHint: "N", description: "rounds, one a second (default: 4)" },
    json: { type: "boolean", description: "one JSON object for each round and way" },
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
    if (!tally.isGood) throw new NetcombinerError("no answer from the peer", EXIT.UNAVAILABLE);
  },
});

/** One answer, or none, by one way. */
export interface PingLine {
  readonly way: string;
  readonly remote: string;
  /** Microseconds; undefined without an answer. */
  readonly rtt: number | undefined;
  readonly reason: string;
}

/** A link without a path has a line too, with the reason. @throws NetcombinerError for a link that is not there */
async function pingOnce(interfaceName: string, link: string | undefined): Promise<PingLine[]> {
  const [echoes, { snapshot }] = await Promise.all([echoesOf(interfaceName), reportOf(interfaceName)]);
  const links = snapshot.links.filter(({ name }) => link === undefined || name === link);
  if (links.length === 0) {
    throw usageError(`no link ${link}; there are ${snapshot.links.map(({ name }) => name).join(", ")}`);
  }
  const lines = links.flatMap(({ name, reason }): PingLine[] => {
    const own = echoes.filter((echo) => !echo.isBest && echo.link === name);
    if (own.length === 0) return [{ way: name, remote: "", rtt: undefined, reason }];
    return own.map(({ path, remote, rtt }) => ({ way: path, remote, rtt, reason: NO_ANSWER }));
  });
  if (link !== undefined) return lines;
  const best = echoes.find((echo) => echo.isBest);
  const by = best ? `by ${best.path}` : "";
  return [...lines, { way: BOND, remote: by, rtt: best?.rtt, reason: best ? NO_ANSWER : "no link is up" }];
}

const NO_ANSWER = `no answer within ${WAIT_MS / 1_000} s`;

/** @throws NetcombinerError when the tunnel does not run */
export async function echoesOf(interfaceName: string): Promise<NamedEcho[]> {
  const { echoes } = await askTunnel(interfaceName, "ping", { parameters: { wait: WAIT_MS }, patience: 3 * WAIT_MS });
  return echoes as NamedEcho[];
}

function renderLine({ way, remote, rtt, reason }: PingLine): string {
  if (rtt === undefined) return `${way}: ${reason}`;
  return `${way}: ${formatMillis(rtt)}${remote === "" ? "" : ` (${remote})`}`;
}

/** What all rounds were together, by way. */
export class Tally {
  readonly #times = new Map<string, (number | undefined)[]>();

  note({ way, rtt }: PingLine): void {
    this.#times.set(way, [...(this.#times.get(way) ?? []), rtt]);
  }

  /** An answer by every way, if not in every round. */
  get isGood(): boolean {
    const heard = [...this.#times].filter(([, times]) => times.some((rtt) => rtt !== undefined)).map(([way]) => way);
    return this.#times.has(BOND) ? heard.includes(BOND) : heard.length > 0;
  }

  render(): string {
    return [...this.#times].map(([way, times]) => summary(way, times)).join("\n");
  }
}

function summary(way: string, times: readonly (number | undefined)[]): string {
  const heard = times.filter((rtt) => rtt !== undefined);
  const counts = `${heard.length} of ${times.length} answered`;
  if (heard.length === 0) return `${way}: ${counts}`;
  const mean = heard.reduce((a, b) => a + b, 0) / heard.length;
  const [min, avg, max] = [Math.min(...heard), mean, Math.max(...heard)].map(formatMillis);
  return `${way}: ${counts}, round trip min ${min}, mean ${avg}, max ${max}`;
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ROUNDS;
  const count = Number(text);
  if (/^\d{1,7}$/.test(text) && count >= 1 && count <= ROUNDS_MAX) return count;
  throw usageError(`-c is a number of 1 to ${ROUNDS_MAX}, not ${text}`);
}
