/** Traffic between two places of a topology, and what both ends saw of it. */
import type { Micros } from "../../src/clock.ts";
import { type Family, PLAN } from "./addresses.ts";
import type { AgentOrder, AgentReport } from "./agent-protocol.ts";
import { readLines } from "./lines.ts";
import type { Place, Topology } from "./topology.ts";

const PORT = 5201;
/** Time between reports of receivers. */
const REPORT_MILLIS = 100;
const REPORT_MICROS = REPORT_MILLIS * 1_000;
/** Time a transfer's setup and last answers may take beyond its duration; on a busy machine each step waits for its turn. */
const GRACE_MILLIS = 60_000;
/** A stream has arrived when nothing came for so long: many times the delay of any link in the lab, and two reports. */
const SILENCE_MILLIS = 800;

export type Way = "up" | "down";

/** Bytes by time from the beginning of a transfer. */
export interface Bulk {
  readonly series: readonly { readonly seconds: number; readonly mbits: number }[];
  /** Mean goodput in Mbit/s over the whole transfer, and after its first 2 s (or first third, if shorter). */
  readonly mbits: number;
  readonly steadyMbits: number;
}

export interface BulkPlan {
  /** The client's address; the route follows from it. */
  readonly from: string;
  readonly way: Way;
  readonly millis: number;
  readonly family?: Family;
  /** Told each tenth of a second: seconds since the beginning, Mbit/s. */
  readonly live?: (seconds: number, mbits: number) => void;
}

export interface Stream {
  readonly sent: number;
  readonly received: number;
  /** Share lost by second of sending. */
  readonly lossBySecond: readonly number[];
  /** When each lost datagram was sent, seconds from the beginning. */
  readonly lostAt: readonly number[];
  /** Longest time between two arrivals, milliseconds. */
  readonly longestGapMillis: number;
  readonly duplicates: number;
  readonly medianDelayMillis: number;
}

export interface PingPong {
  readonly answers: number;
  readonly longestGapMillis: number;
  /** Milliseconds since the beginning, of each answer. */
  readonly times: readonly number[];
}

interface Transfer {
  readonly reports: AgentReport[];
  readonly done: PromiseWithResolvers<void>;
  readonly listener: ((report: AgentReport) => void) | undefined;
}

type Order = Exclude<AgentOrder, { op: "serve" }>;
type Asked = Order extends infer O ? (O extends unknown ? Omit<O, "token"> : never) : never;

class Agent {
  readonly #child;
  readonly #take: (report: AgentReport) => void;

  constructor(topology: Topology, place: Place, take: (report: AgentReport) => void) {
    this.#take = take;
    this.#child = Bun.spawn(topology.command(place, [process.execPath, `${import.meta.dir}/agent.ts`]), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    void readLines(this.#child.stdout, (line) => this.#take(JSON.parse(line) as AgentReport));
  }

  order(order: AgentOrder): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    this.#child.stdin.flush();
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
  }
}

export class Traffic {
  readonly #agents: Readonly<Record<"client" | "server", Agent>>;
  readonly #transfers = new Map<number, Transfer>();
  #ready = 0;
  readonly #serving = Promise.withResolvers<void>();
  #lastToken = 0;

  private constructor(topology: Topology) {
    const take = (report: AgentReport) => this.#take(report);
    this.#agents = { client: new Agent(topology, "client", take), server: new Agent(topology, "server", take) };
    for (const agent of Object.values(this.#agents)) agent.order({ op: "serve", host: "::", port: PORT });
  }

  /** Starts the agents at client and server. */
  static async start(topology: Topology): Promise<Traffic> {
    const traffic = new Traffic(topology);
    await traffic.#serving.promise;
    return traffic;
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.#agents).map((agent) => agent.stop()));
  }

  /** Runs one TCP flow between client and server, as fast as it goes. */
  async bulk({ from, way, millis, family = 4, live }: BulkPlan): Promise<Bulk> {
    const to = { from, host: PLAN[family].server, port: PORT };
    const listener = live && liveReports(live);
    const transfer = await this.#run("client", { op: "bulk", way, millis, to }, millis, listener);
    return summariseBulk(transfer.reports, millis);
  }

  /** Runs the dissertation's ping and pong (section 4.2.1) from client to server. */
  async pingPong(from: string, millis: number, pause = 10, family: Family = 4): Promise<PingPong> {
    const to = { from, host: PLAN[family].server, port: PORT };
    const { reports } = await this.#run("client", { op: "pingpong", pause, millis, to }, millis);
    const times = reports.flatMap((report) => (report.kind === "pongs" ? report.times : []));
    const first = times[0] ?? 0;
    return {
      answers: times.length,
      longestGapMillis: longestGap(times),
      times: times.map((time) => (time - first) / 1_000),
    };
  }

  /** Sends UDP at a constant rate from client to server (up) or back; `client` is the client's address. */
  async stream(
    client: string,
    way: Way,
    bytesPerSecond: number,
    millis: number,
    size = 1_000,
    family: Family = 4,
  ): Promise<Stream> {
    const [from, host] = way === "up" ? [client, PLAN[family].server] : [PLAN[family].server, client];
    const to = { from, host, port: PORT };
    const order: Asked = { op: "stream", size, perSecond: bytesPerSecond / size, millis, to };
    const { reports } = await this.#run(way === "up" ? "client" : "server", order, millis);
    await untilArrived(reports);
    return summariseStream(reports, millis);
  }

  async #run(
    place: "client" | "server",
    order: Asked,
    millis: number,
    listener?: (report: AgentReport) => void,
  ): Promise<Transfer> {
    const token = ++this.#lastToken;
    const transfer: Transfer = { reports: [], done: Promise.withResolvers<void>(), listener };
    this.#transfers.set(token, transfer);
    const timer = setTimeout(() => transfer.done.reject(new Error(`${order.op} never ended`)), millis + GRACE_MILLIS);
    this.#agents[place].order({ ...order, token } as AgentOrder);
    try {
      await transfer.done.promise;
    } finally {
      clearTimeout(timer);
    }
    return transfer;
  }

  #take(report: AgentReport): void {
    if (report.kind === "ready") {
      if (++this.#ready === 2) this.#serving.resolve();
      return;
    }
    const transfer = this.#transfers.get(report.token);
    if (!transfer) return;
    transfer.reports.push(report);
    transfer.listener?.(report);
    if (report.kind === "done") transfer.done.resolve();
    if (report.kind === "failed") transfer.done.reject(new Error(`${report.reason} (transfer ${report.token})`));
  }
}

function liveReports(live: (seconds: number, mbits: number) => void): (report: AgentReport) => void {
  let first: Micros | undefined;
  let last: Micros = 0;
  return (report) => {
    if (report.kind !== "bytes") return;
    if (first !== undefined && report.at > last)
      live((report.at - first) / 1e6, (report.bytes * 8) / (report.at - last));
    first ??= report.at;
    last = report.at;
  };
}

function summariseBulk(reports: readonly AgentReport[], millis: number): Bulk {
  const points = reports.filter((report) => report.kind === "bytes");
  const first = (points[0]?.at ?? 0) - REPORT_MICROS;
  const inTime = points.filter((point) => point.at <= first + millis * 1_000 + REPORT_MICROS / 2);
  const last = inTime.at(-1)?.at ?? first;
  const mean = (seconds: number) => {
    const from = points.findLast((point) => point.at <= first + seconds * 1e6)?.at ?? first;
    const bytes = inTime.reduce((sum, point) => sum + (point.at > from ? point.bytes : 0), 0);
    return (bytes * 8) / Math.max(1, last - from);
  };
  return {
    series: inTime.map((point, i) => ({
      seconds: (point.at - first) / 1e6,
      mbits: (point.bytes * 8) / Math.max(1, point.at - (inTime[i - 1]?.at ?? first)),
    })),
    mbits: mean(0),
    steadyMbits: mean(Math.min(2, millis / 3_000)),
  };
}

/** Waits for what is on its way when the sender stops. */
async function untilArrived(reports: readonly AgentReport[]): Promise<void> {
  const sent = reports.find((report) => report.kind === "done")?.sent ?? 0;
  const arrived = () =>
    reports.reduce((sum, report) => sum + (report.kind === "datagrams" ? report.rows.length : 0), 0);
  for (let last = -1, since = 0; arrived() < sent && since < SILENCE_MILLIS; since += REPORT_MILLIS) {
    const now = arrived();
    if (now !== last) since = 0;
    last = now;
    await Bun.sleep(REPORT_MILLIS);
  }
}

function summariseStream(reports: readonly AgentReport[], millis: number): Stream {
  const rows = reports.flatMap((report) => (report.kind === "datagrams" ? report.rows : []));
  const sent = reports.find((report) => report.kind === "done")?.sent ?? 0;
  const bySequence = new Map(rows.map((row) => [row[0], row]));
  const seconds = Math.ceil(millis / 1_000);
  const perSecond = sent / (millis / 1_000);
  const lostAt = Array.from({ length: sent }, (_, i) => i)
    .filter((i) => !bySequence.has(i))
    .map((i) => i / perSecond);
  const lostIn = (second: number) => lostAt.filter((at) => Math.min(seconds - 1, Math.floor(at)) === second).length;
  const delays = rows.map(([, sentAt, receivedAt]) => receivedAt - sentAt).sort((a, b) => a - b);
  return {
    sent,
    received: bySequence.size,
    lossBySecond: Array.from({ length: seconds }, (_, second) => lostIn(second) / perSecond),
    lostAt,
    longestGapMillis: longestGap(rows.map((row) => row[2])),
    duplicates: rows.length - bySequence.size,
    medianDelayMillis: (delays[delays.length >> 1] ?? 0) / 1_000,
  };
}

function longestGap(times: readonly Micros[]): number {
  let longest = 0;
  for (let i = 1; i < times.length; i++) longest = Math.max(longest, (times[i] as number) - (times[i - 1] as number));
  return longest / 1_000;
}
