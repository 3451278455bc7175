/** Runs an experiment in virtual time: the core of the program and models of all else, from one seed. */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { ADAPTIVE, DISSERTATION } from "../sim/portal-gateway.ts";
import {
  addBulk,
  addPingPong,
  addUdp,
  type Bulk,
  bareWorld,
  innerControl,
  longestGap,
  lostNumbers,
  tunnelWorld,
  type UdpFlow,
} from "../sim/scenarios.ts";
import { Echo, Ping } from "../sim/senders/datagrams.ts";
import type { World } from "../sim/world.ts";
import type { Side } from "../support/packets/slots.ts";
import { sum } from "../support/statistics.ts";
import { type Experiment, type FlowOutcome, meanBetween, type Outcome, settlingTime } from "./experiment.ts";

/** The tunnel comes up before the traffic begins, also over a satellite. */
const LEAD: Micros = 2 * MICROS_PER_SECOND;
const SAMPLE: Micros = MICROS_PER_SECOND / 10;
const FIRST_BULK_PORT = 5_001;
const PING_PONG_PORT = 6_001;
const STREAM_PORT = 7_001;
const PING_IDENTIFIER = 9;
const PING_INTERVAL: Micros = 20 * MICROS_PER_MILLI;
const STREAM_SIZE = 1_028;

/** The one whose cost does not depend on the machine. */
const SUITE = "blake2s";

export function simulate(experiment: Experiment): Outcome {
  const { carrier, links, seed, flows } = experiment;
  if (carrier !== "alone") {
    const modes = carrier === "greedy" ? DISSERTATION : ADAPTIVE;
    const world = tunnelWorld(links, { seed, portal: { ...modes, security: SUITE } });
    return { suite: SUITE, ...observe(world, experiment, flows ?? 1) };
  }
  // Links without a tunnel have nothing to do with each other: a world for each.
  const outcomes = links.map((link, i) => {
    const own = i === 0 ? experiment : { ...experiment, hasPing: false, hasPingPong: false };
    return observe(bareWorld([link], seed + i), own, i < (flows ?? links.length) ? 1 : 0);
  });
  const [first] = outcomes;
  if (!first) throw new Error("an experiment needs a link");
  return {
    ...first,
    flows: outcomes.flatMap((outcome) => outcome.flows),
    timeouts: sum(outcomes.map((outcome) => outcome.timeouts)),
    retransmitted: sum(outcomes.map((outcome) => outcome.retransmitted)),
  };
}

function observe(world: World, experiment: Experiment, flows: number): Outcome {
  const { way, seconds, seed, control = "cubic", distance = 0, hasPing, hasPingPong, stream, steps = [] } = experiment;
  const from: Side = way === "up" ? 0 : 1;
  const end = LEAD + seconds * MICROS_PER_SECOND;
  const bulks = Array.from({ length: flows }, (_, i) =>
    addBulk(world, {
      from,
      port: FIRST_BULK_PORT + i,
      control: innerControl(control, seed + i),
      startAt: LEAD,
      distance,
      sampleEvery: SAMPLE,
    }),
  );
  const ping = hasPing ? addPing(world, distance) : undefined;
  const pingPong = hasPingPong ? addPingPong(world, LEAD, PING_PONG_PORT, distance) : undefined;
  const udp =
    stream === undefined
      ? undefined
      : addUdp(world, { from, port: STREAM_PORT, rate: stream, size: STREAM_SIZE, startAt: LEAD, endAt: end });
  for (const { at, link, change } of steps)
    world.at(LEAD + at * MICROS_PER_SECOND, () => {
      if (change === "cut") world.cut(link);
      else if (change === "restore") world.uncut(link);
      else world.change(link, change);
    });
  world.run(end);
  const senders = bulks.map((bulk) => bulk.from.sender);
  const measured = bulks.map((bulk) => flowOutcome(bulk, seconds));
  // What is on its way when the stream or the pings stop still counts.
  if (udp || ping) world.run(end + MICROS_PER_SECOND);
  return {
    flows: measured,
    ping: ping && pingOutcome(ping, seconds),
    pongs: pingPong?.times.filter((time) => time <= end).map(sinceLead),
    stream: udp && streamOutcome(udp, stream ?? 0),
    timeouts: sum(senders.map((sender) => sender.timeouts)),
    retransmitted: sum(senders.map((sender) => sender.retransmissions)),
  };
}

function sinceLead(time: Micros): number {
  return (time - LEAD) / MICROS_PER_SECOND;
}

function addPing(world: World, distance: Micros): Ping {
  world.add(1, (outlet) => new Echo(outlet, PING_IDENTIFIER), distance);
  return world.add(0, (outlet) => new Ping(outlet, PING_IDENTIFIER, PING_INTERVAL, LEAD));
}

function flowOutcome({ series: totals }: Bulk, seconds: number): FlowOutcome {
  const first = Math.round(LEAD / SAMPLE);
  const series = Array.from({ length: Math.round((seconds * MICROS_PER_SECOND) / SAMPLE) }, (_, i) => {
    const bytes = (totals[first + i + 1] as number) - (totals[first + i] as number);
    return (bytes * 8) / SAMPLE;
  });
  return {
    series,
    mbits: meanBetween(series, 0, seconds),
    steadyMbits: meanBetween(series, settlingTime(seconds), seconds),
  };
}

function pingOutcome(ping: Ping, seconds: number): NonNullable<Outcome["ping"]> {
  const answers = ping.rtts.map((rtt, i) => [sinceLead(ping.sentAt[i] as Micros), rtt / MICROS_PER_MILLI] as const);
  return {
    sent: Math.floor((seconds * MICROS_PER_SECOND) / PING_INTERVAL),
    answers: answers.filter(([sentAt]) => sentAt < seconds),
  };
}

function streamOutcome(flow: UdpFlow, rate: number): NonNullable<Outcome["stream"]> {
  return {
    sent: flow.from.sent,
    received: flow.to.numbers.length,
    longestGapMillis: longestGap(flow) / MICROS_PER_MILLI,
    lostAt: lostNumbers(flow).map((number) => (number * STREAM_SIZE * 8) / rate),
  };
}
