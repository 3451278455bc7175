/** Round trips as iputils' ping measures them. */
import type { Place, Topology } from "./topology.ts";

export interface PingPlan {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly intervalMillis?: number;
  /** Time for answers after the last request; default: enough for a busy machine. Silence takes all of it. */
  readonly waitMillis?: number;
  /** Bytes of ICMP payload; with `isWhole`, never in fragments. */
  readonly size?: number;
  readonly isWhole?: boolean;
}

const TIMEOUT_MILLIS = 20_000;

export interface Ping {
  /** Milliseconds, ascending. */
  readonly roundTrips: readonly number[];
  /** Each answer: when its request was sent, in seconds since 1970, and its round trip in milliseconds. */
  readonly answers: readonly (readonly [sentAt: number, millis: number])[];
  /** Requests without an answer, those before the last answer above all: ping goes on asking until `count` are answered. */
  readonly lost: number;
  readonly median: number;
  /** Output of ping, for messages such as "message too long". */
  readonly text: string;
}

export async function ping(topology: Topology, place: Place, plan: PingPlan): Promise<Ping> {
  const { from, to, count, intervalMillis = 20, waitMillis = TIMEOUT_MILLIS, size = 56, isWhole = false } = plan;
  const wait = (count * intervalMillis + waitMillis) / 1_000;
  const flags = [
    "-n",
    "-D",
    "-c",
    `${count}`,
    "-i",
    `${intervalMillis / 1_000}`,
    "-w",
    `${Math.ceil(wait)}`,
    "-s",
    `${size}`,
  ];
  const whole = isWhole ? ["-M", "do"] : [];
  const child = Bun.spawn(topology.command(place, ["ping", ...flags, ...whole, "-I", from, to]), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const answers = [...out.matchAll(/^\[([\d.]+)\].* time=([\d.]+) ms/gm)].map(([, at, millis]) => {
    return [Number(at) - Number(millis) / 1_000, Number(millis)] as const;
  });
  const roundTrips = answers.map(([, millis]) => millis).sort((a, b) => a - b);
  return {
    roundTrips,
    answers,
    lost: Math.max(count - roundTrips.length, gapsIn(out), 0),
    median: roundTrips[roundTrips.length >> 1] ?? Number.POSITIVE_INFINITY,
    text: `${out}${errors}`,
  };
}

/** Returns how many numbers up to the highest answered one have no answer. */
function gapsIn(out: string): number {
  const answered = new Set([...out.matchAll(/icmp_seq=(\d+) .*time=/g)].map((found) => Number(found[1])));
  return Math.max(0, ...answered) - answered.size;
}
