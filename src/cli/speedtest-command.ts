/** Implements `netcombiner speedtest`, which measures the rate of one TCP connection over each link alone and over the tunnel, both ways. */
import { connect, type Socket } from "node:net";
import { defineCommand } from "citty";
import {
  decodeResult,
  HEAD_SIZE,
  type Measured,
  RESULT_SIZE,
  receive,
  SECRET_SIZE,
  send,
  WAY,
} from "../daemon/speed/transfer.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { LinkSnapshot } from "../portal/snapshot.ts";
import { usageError } from "./arguments.ts";
import { askTunnel, chosenInterface, reportOf } from "./running.ts";
import { renderSpeeds, type Speeds, type TransferDirection } from "./speed-table.ts";

const DEFAULT_SECONDS = 5;
/** Time that a transfer may take beyond its duration, seconds: connecting, and draining the queues of the path. */
const MARGIN_SECONDS = 5;
const ALL_SECONDS_MAX = 255;

export const speedtestCommand = defineCommand({
  meta: {
    name: "netcombiner speedtest",
    description:
      "Measure the rate of one TCP connection to the peer over each link alone and over the tunnel; loads the links",
  },
  args: {
    interface: { type: "positional", required: false, description: "name of the tunnel's interface, if several run" },
    duration: { type: "string", valueHint: "SECONDS", description: "duration of each transfer (default: 5)" },
    forward: { type: "boolean", description: "only from here to the peer" },
    reverse: { type: "boolean", description: "only from the peer to here" },
    all: { type: "boolean", description: "also load metered and standby links, which may cost money" },
    json: { type: "boolean", description: "print JSON, in megabits per second" },
  },
  async run({ args }) {
    const seconds = parseSeconds(args.duration);
    if (args.forward && args.reverse)
      throw usageError("--forward and --reverse exclude each other; without them both directions are measured");
    const directions: TransferDirection[] = args.forward
      ? ["forward"]
      : args.reverse
        ? ["reverse"]
        : ["forward", "reverse"];
    const interfaceName = await chosenInterface(args.interface);
    const { snapshot } = await reportOf(interfaceName);
    const { measured, standby, metered } = chooseLinks(snapshot.links, args.all === true);
    if (metered.length > 0)
      throw usageError(`${metered.join(", ")}: metered, so a test may cost money; --all includes it`);
    const all = (measured.length + 1) * directions.length * (seconds + MARGIN_SECONDS);
    if (all > ALL_SECONDS_MAX)
      throw usageError(`the test would take ${all} s; at most ${ALL_SECONDS_MAX} s are possible: shorten --duration`);
    const tell = (line: string) => console.error(line);
    if (standby.length > 0) tell(`${standby.join(", ")}: on standby and not measured; --all includes it`);
    const speeds = await measureAll(await openTest(interfaceName, all), measured, directions, seconds, tell);
    console.log(args.json ? JSON.stringify(speeds, undefined, 2) : renderSpeeds(speeds));
  },
});

/** Sorts the links that are up into those to measure, those on standby, and metered ones in use; `withAll` has all of them measured. */
export function chooseLinks(links: readonly LinkSnapshot[], withAll: boolean) {
  const upPaths = ({ paths }: LinkSnapshot) => paths.filter((path) => path.state === "up");
  const up = links.filter((link) => upPaths(link).length > 0);
  const names = (chosen: readonly LinkSnapshot[]) => chosen.map(({ name }) => name);
  if (withAll) return { measured: names(up), standby: [], metered: [] };
  const isStandby = (link: LinkSnapshot) => upPaths(link).every((path) => path.standby);
  const inUse = up.filter((link) => !isStandby(link));
  const isMetered = (link: LinkSnapshot) => upPaths(link).some((path) => path.limits.metered);
  return {
    measured: names(inUse),
    standby: names(up.filter(isStandby)),
    metered: names(inUse.filter(isMetered)),
  };
}

interface SpeedTest {
  readonly interface: string;
  readonly port: number;
  readonly address: string;
  readonly secret: Uint8Array;
}

/** Asks the peer to take part. @throws NetcombinerError when it does not */
async function openTest(interfaceName: string, seconds: number): Promise<SpeedTest> {
  const answer = await askTunnel(interfaceName, "speedtest", { parameters: { seconds }, timeout: 10_000 });
  const { port, addresses, secret } = answer as { port: number; addresses: string[]; secret: string };
  return { interface: interfaceName, port, address: addresses[0] ?? "", secret: Uint8Array.fromHex(secret) };
}

async function measureAll(
  test: SpeedTest,
  links: readonly string[],
  directions: readonly TransferDirection[],
  seconds: number,
  tell: (line: string) => void,
): Promise<Speeds> {
  const speeds: Speeds = { links: [], tunnel: {} };
  try {
    for (const link of links) {
      const rates: Partial<Record<TransferDirection, number>> = {};
      for (const direction of directions) {
        tell(`${link} alone, ${direction} ...`);
        await beAlone(test.interface, link, seconds + MARGIN_SECONDS);
        rates[direction] = await measure(test, direction, seconds);
      }
      speeds.links.push({ name: link, ...rates });
    }
  } finally {
    await beAlone(test.interface, undefined, 1);
  }
  for (const direction of directions) {
    tell(`tunnel, ${direction} ...`);
    speeds.tunnel[direction] = await measure(test, direction, seconds);
  }
  return speeds;
}

async function beAlone(interfaceName: string, link: string | undefined, seconds: number): Promise<void> {
  const parameters = link === undefined ? {} : { link, seconds };
  await askTunnel(interfaceName, "alone", { parameters });
}

/** Returns the rate of one transfer in megabits per second. @throws NetcombinerError that says what to check */
async function measure(test: SpeedTest, direction: TransferDirection, seconds: number): Promise<number> {
  const socket = connect({ host: test.address, port: test.port, allowHalfOpen: true });
  const timer = setTimeout(() => socket.destroy(new Error("no answer")), (seconds + MARGIN_SECONDS) * 1_000);
  try {
    const result = await transfer(socket, test, direction, seconds);
    return result.time > 0 ? (result.bytes * 8) / result.time : 0;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(
      `no transfer with ${test.address} port ${test.port} in the tunnel: ${problem}; check that the peer's firewall admits TCP port ${test.port} from its tunnel interface`,
      EXIT.UNAVAILABLE,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function transfer(
  socket: Socket,
  test: SpeedTest,
  direction: TransferDirection,
  seconds: number,
): Promise<Measured> {
  await connected(socket);
  const head = new Uint8Array(HEAD_SIZE);
  head.set(test.secret);
  head[SECRET_SIZE] = direction === "forward" ? WAY.TO_RESPONDER : WAY.TO_CLIENT;
  head[SECRET_SIZE + 1] = seconds;
  socket.write(head);
  if (direction === "reverse") return await receive(socket, seconds);
  const result = resultOf(socket);
  await send(socket, seconds);
  return await result;
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
}

/** Reads the result that the peer measured. */
function resultOf(socket: Socket): Promise<Measured> {
  const { promise, resolve, reject } = Promise.withResolvers<Measured>();
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  socket.on("end", () => {
    const bytes = Buffer.concat(chunks);
    if (bytes.length === RESULT_SIZE) resolve(decodeResult(bytes));
    else reject(new Error("the peer ended the transfer"));
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the peer ended the transfer")));
  return promise;
}

function parseSeconds(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS;
  const seconds = Number(text);
  if (/^\d{1,2}$/.test(text) && seconds >= 1 && seconds <= 60) return seconds;
  throw usageError(`--duration: expected 1 to 60 seconds; given ${text}`);
}
