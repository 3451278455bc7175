/** Round trips as iputils' ping measures them. */
import type { Place, Topology } from "./topology.ts";

export interface PingPlan {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly intervalMillis?: number;
  /** Bytes of ICMP payload; with `isWhole`, never in fragments. */
  readonly size?: number;
  readonly isWhole?: boolean;
}

export interface Ping {
  /** Milliseconds, ascending. */
  readonly roundTrips: readonly number[];
  /** Each answer: when its request was sent, in seconds since 1970, and its round trip in milliseconds. */
  readonly answers: readonly (readonly [sentAt: number, millis: number])[];
  readonly lost: number;
  readonly median: number;
  /** What ping printed, for messages such as "message too long". */
  readonly text: string;
}

export async function ping(topology: Topology, place: Place, plan: PingPlan): Promise<Ping> {
  const { from, to, count, intervalMillis = 20, size = 56, isWhole = false } = plan;
  const wait = (count * intervalMillis) / 1_000 + 1;
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
    // On a busy machine answers come after the next requests left, and ping counts more of them than it was to ask for.
    lost: Math.max(0, count - roundTrips.length),
    median: roundTrips[roundTrips.length >> 1] ?? Number.POSITIVE_INFINITY,
    text: `${out}${errors}`,
  };
}
