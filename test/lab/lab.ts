/** Gives the lab's tests what they share: one topology with its agents a file, portals as each test wants them. */
import { afterAll, beforeAll, describe, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import type { LinkShape } from "../sim/link-model.ts";
import { noteInconclusive } from "../support/inconclusive.ts";
import { describeLoad, isInconclusive, LoadMeter } from "../support/machine-load.ts";
import { PLAN } from "./addresses.ts";
import { isOurNamespace } from "./namespaces.ts";
import { Portals } from "./portals.ts";
import { type LinkPlan, Topology, type TopologyPlan } from "./topology.ts";
import { type Bulk, Traffic, type Way } from "./traffic.ts";

export const canUseLab = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun");

/** An access line of 16 Mbit/s and 10 ms with a queue of 50 ms: the dissertation's 2 MB/s. */
export const LINE: Partial<LinkShape> = {
  rate: 16e6,
  delay: 5_000,
  queuePackets: Number.POSITIVE_INFINITY,
  queueTime: 50_000,
};

export function line(rate: number): LinkPlan {
  return { both: { ...LINE, rate } };
}

/**
 * Longest a test may take: ten times what the longest needs on an idle machine. Every wait inside has a shorter limit that
 * says what it waited for; this one ends what has none.
 */
export const LAB_TIMEOUT_MILLIS = 300_000;

export const WAYS: readonly Way[] = ["up", "down"];

export class Lab {
  topology!: Topology;
  traffic!: Traffic;
  portals!: Portals;
  readonly #direct = new Map<string, number>();

  async open(plan: TopologyPlan): Promise<void> {
    this.topology = await Topology.create(plan);
    this.traffic = await Traffic.start(this.topology);
    this.portals = new Portals(this.topology);
  }

  async close(): Promise<void> {
    await this.portals?.remove();
    await this.traffic?.stop();
    await this.topology?.remove();
  }

  /** Gives the links their shapes anew, without portals. */
  async reset(links: readonly LinkPlan[]): Promise<void> {
    await this.portals.stop();
    await this.topology.reshape(links);
  }

  /** Runs one TCP flow through the tunnel. */
  async tunnel(way: Way, millis = 4_000): Promise<Bulk> {
    return await this.traffic.bulk({ from: PLAN[4].client, way, millis });
  }

  /** Returns the goodput of the same flow over one line of this rate without the tunnel, Mbit/s; measured once a rate and way. */
  async direct(rate: number, way: Way): Promise<number> {
    const key = `${rate} ${way}`;
    const known = this.#direct.get(key);
    if (known !== undefined) return known;
    await this.topology.change(0, line(rate));
    const { steadyMbits } = await this.traffic.bulk({ from: PLAN[4].direct(0), way, millis: 3_000 });
    this.#direct.set(key, steadyMbits);
    return steadyMbits;
  }
}

/** A `describe` with a lab of its own; skipped, saying why, where namespaces cannot be made. */
export function describeLab(name: string, plan: TopologyPlan, body: (lab: Lab) => void): void {
  if (!canUseLab) {
    describe.skip(`${name} (needs Linux, root and /dev/net/tun: sudo npm test)`, () => body(new Lab()));
    return;
  }
  // The default of 5 s is for code; networks and busy machines take their time.
  setDefaultTimeout(LAB_TIMEOUT_MILLIS);
  describe(name, () => {
    const lab = new Lab();
    beforeAll(() => lab.open(plan));
    afterAll(() => lab.close());
    body(lab);
  });
}

/** Returns the mean of a series between two times, Mbit/s. */
export function meanBetween(bulk: Bulk, from: number, to: number): number {
  const points = bulk.series.filter((point) => point.seconds > from && point.seconds <= to);
  return points.reduce((sum, point) => sum + point.mbits, 0) / Math.max(1, points.length);
}

/** Runs `steps` at their times (milliseconds from now), while something else goes on. */
export async function during(steps: readonly (readonly [millis: number, step: () => Promise<void>])[]): Promise<void> {
  await Promise.all(
    steps.map(async ([millis, step]) => {
      await Bun.sleep(millis);
      await step();
    }),
  );
}

/** A figure of time, loss or throughput that is not as it should be. */
class OutOfBounds extends Error {}

/** Prints the figure, and throws unless it is at least `bound`; see `measured`. */
export function atLeast(what: string, value: number, bound: number): void {
  console.log(`  ${what}: ${value.toFixed(2)} (at least ${bound.toFixed(2)})`);
  if (!(value >= bound)) throw new OutOfBounds(`${what}: ${value.toFixed(2)}, less than ${bound.toFixed(2)}`);
}

/** Prints the figure, and throws unless it is at most `bound`; see `measured`. */
export function atMost(what: string, value: number, bound: number): void {
  console.log(`  ${what}: ${value.toFixed(2)} (at most ${bound.toFixed(2)})`);
  if (!(value <= bound)) throw new OutOfBounds(`${what}: ${value.toFixed(2)}, more than ${bound.toFixed(2)}`);
}

/**
 * Declares a test with figures. One that `atLeast` or `atMost` refuses is measured once more, as a single transfer of some seconds also
 * depends on chance, and fails the test if it is refused again; unless others took the machine's processors while it ran: then the test is
 * inconclusive, which is printed and counted. Everything else it expects holds regardless, the first time.
 */
export function measured(name: string, body: () => Promise<void>): void {
  test(name, () => unlessBusy(name, () => twiceIfRefused(body)), LAB_TIMEOUT_MILLIS);
}

/** Runs `body`, and again if a figure is out of bounds: what is broken is so both times. */
export async function twiceIfRefused(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof OutOfBounds)) throw error;
    console.log(`  ${error.message}; measured once more:`);
    await body();
  }
}

/** Runs `body`; on a busy machine a figure out of bounds is noted as inconclusive instead of thrown. */
export async function unlessBusy(
  name: string,
  body: () => Promise<void>,
  meter: Pick<LoadMeter, "read"> = new LoadMeter(isOurNamespace),
): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof OutOfBounds)) throw error;
    const load = meter.read();
    if (!isInconclusive(load)) throw error;
    noteInconclusive(name, `${error.message}; ${describeLoad(load)}`);
  }
}
