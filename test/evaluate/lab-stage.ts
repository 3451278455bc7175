/** Runs experiments on real kernels: a network of namespaces of its own for each, with fresh portals. */
import type { SuiteName } from "../../src/security/suite.ts";
import { PLAN } from "../lab/addresses.ts";
import { during } from "../lab/lab.ts";
import { run } from "../lab/namespaces.ts";
import { ping } from "../lab/ping.ts";
import { Portals, usualPlans } from "../lab/portals.ts";
import { type LinkPlan, Topology } from "../lab/topology.ts";
import { type Bulk, Traffic } from "../lab/traffic.ts";
import type { LinkShape } from "../sim/link-model.ts";
import type { Experiment, Outcome, PingOutcome, Stage, Step } from "./experiment.ts";
import { LoadMeter } from "./load-meter.ts";

const PING_INTERVAL_MILLIS = 20;
/** Programs just started are slow; so many pings go ahead of every measurement. */
const WARM_UP_PINGS = 30;
const STREAM_SIZE = 1_000;
/** The dissertation's pause between a pong and the next ping, milliseconds. */
const PING_PONG_PAUSE = 10;
const DISSERTATION = { host: { Scheduling: "greedy" }, peer: { Congestion: "newreno" } } as const;

interface Site {
  readonly topology: Topology;
  readonly traffic: Traffic;
  readonly portals: Portals;
}

export class LabStage implements Stage {
  readonly name = "lab";
  /** The machine's processors are part of what is measured. */
  readonly lanes = 1;

  async run(experiment: Experiment): Promise<Outcome> {
    const { links, seed, distance, control } = experiment;
    const topology = await Topology.create({
      links: links.map(linkPlan),
      seed,
      ...(distance !== undefined && { serverDelay: distance }),
      ...(control && { innerControl: control }),
    });
    const portals = new Portals(topology);
    let traffic: Traffic | undefined;
    try {
      traffic = await Traffic.start(topology);
      await startTunnel(experiment, portals);
      return await measure(experiment, { topology, traffic, portals });
    } finally {
      await portals.remove();
      await traffic?.stop();
      await topology.remove();
    }
  }

  /** Does nothing: nothing outlives an experiment. */
  stop(): void {}
}

function linkPlan(shape: LinkShape): LinkPlan {
  return { both: shape };
}

async function startTunnel({ carrier, links }: Experiment, portals: Portals): Promise<void> {
  if (carrier === "alone") return;
  const options = carrier === "greedy" ? DISSERTATION : {};
  const numbers = links.map((_, i) => i);
  await portals.startBoth(usualPlans(numbers, options), links.length);
}

async function measure(experiment: Experiment, site: Site): Promise<Outcome> {
  const { carrier, links, way, seconds, flows, hasPing, hasPingPong, stream, steps = [] } = experiment;
  const { topology, traffic, portals } = site;
  const sources = sourcesOf(carrier, links.length, flows);
  const client = carrier === "alone" ? PLAN[4].direct(0) : PLAN[4].client;
  const millis = seconds * 1_000;
  await ping(topology, "client", { from: client, to: PLAN[4].server, count: WARM_UP_PINGS, intervalMillis: 10 });
  const before = hostCounters(topology);
  const meter = await LoadMeter.start(topology, carrier === "alone" ? undefined : portals);
  const [bulks, pings, pongs, datagrams] = await Promise.all([
    Promise.all(sources.map((from) => traffic.bulk({ from, way, millis }))),
    hasPing ? pingBeside(topology, client, millis) : undefined,
    hasPingPong ? traffic.pingPong(client, millis, PING_PONG_PAUSE) : undefined,
    stream === undefined ? undefined : traffic.stream(client, way, stream / 8, millis, STREAM_SIZE),
    during(steps.map((step) => [step.at * 1_000, () => take(topology, step)])),
  ]);
  const load = await meter.stop();
  const suite = carrier === "alone" ? undefined : await suiteOf(portals);
  const after = hostCounters(topology);
  return {
    suite,
    flows: bulks.map(flowOutcome),
    ping: pings,
    pongs: pongs?.times.map((time) => time / 1_000),
    stream: datagrams,
    timeouts: after.timeouts - before.timeouts,
    retransmitted: after.retransmitted - before.retransmitted,
    load,
  };
}

/** Returns the suite that both ends agreed on, the same for all paths. */
async function suiteOf(portals: Portals): Promise<SuiteName | undefined> {
  const { links } = await portals.local.snapshot();
  return links.flatMap(({ paths }) => paths)[0]?.keys.suite as SuiteName | undefined;
}

/** Returns the addresses whose flows are measured: one for each flow. */
function sourcesOf(carrier: Experiment["carrier"], links: number, flows: number | undefined): string[] {
  if (carrier === "alone") return Array.from({ length: flows ?? links }, (_, i) => PLAN[4].direct(i));
  return new Array<string>(flows ?? 1).fill(PLAN[4].client);
}

function flowOutcome({ series, mbits, steadyMbits }: Bulk): Outcome["flows"][number] {
  return { series: series.map((point) => point.mbits), mbits, steadyMbits };
}

async function pingBeside(topology: Topology, from: string, millis: number): Promise<PingOutcome> {
  const began = Date.now() / 1_000;
  const count = Math.floor(millis / PING_INTERVAL_MILLIS);
  const { answers } = await ping(topology, "client", {
    from,
    to: PLAN[4].server,
    count,
    intervalMillis: PING_INTERVAL_MILLIS,
  });
  return { sent: count, answers: answers.map(([sentAt, round]) => [sentAt - began, round] as const) };
}

async function take(topology: Topology, { link, change }: Step): Promise<void> {
  if (change === "cut") await topology.cut(link);
  else if (change === "restore") await topology.restore(link);
  else await topology.change(link, { both: change });
}

interface HostCounters {
  readonly timeouts: number;
  readonly retransmitted: number;
}

/** Returns what the kernels of client and server counted of their TCP since their namespaces were made. */
function hostCounters(topology: Topology): HostCounters {
  const texts = (["client", "server"] as const).map((place) =>
    run(topology.command(place, ["cat", "/proc/net/netstat", "/proc/net/snmp"])),
  );
  const total = (group: string, name: string) => texts.reduce((sum, text) => sum + counterOf(text, group, name), 0);
  return { timeouts: total("TcpExt", "TCPTimeouts"), retransmitted: total("Tcp", "RetransSegs") };
}

/** Returns one number of a file in which each group has a line of names and below it a line of values. */
export function counterOf(text: string, group: string, name: string): number {
  const [names = [], values = []] = text
    .split("\n")
    .filter((line) => line.startsWith(`${group}: `))
    .map((line) => line.split(" "));
  const at = names.indexOf(name);
  if (at < 0) throw new Error(`the kernel has no counter ${group} ${name}`);
  return Number(values[at]);
}
