/** Two namespaces joined by one veth: the machine pair of the benchmark, with its load and its pings. */
import { Namespaces, run, sweep } from "../lab/namespaces.ts";
import { median } from "../support/statistics.ts";

export type End = "a" | "b";
export type Layer = "outer" | "inner";

export const OUTER: Readonly<Record<End, string>> = { a: "10.88.0.1", b: "10.88.0.2" };
export const INNER: Readonly<Record<End, string>> = { a: "10.89.0.1", b: "10.89.0.2" };

const PORT = 5201;

export class Pair {
  readonly #namespaces = new Namespaces();
  readonly #onExit = () => this.#namespaces.remove();

  constructor() {
    sweep();
    process.on("exit", this.#onExit);
    try {
      for (const end of ["a", "b"]) this.#namespaces.add(end);
      const peer = `peer name eth0 netns ${this.#namespaces.nameOf("b")}`;
      this.#namespaces.ip("a", [`link add eth0 type veth ${peer}`]);
      for (const end of ["a", "b"] as const)
        this.#namespaces.ip(end, ["link set eth0 up", `addr add ${OUTER[end]}/24 dev eth0`]);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  command(end: End, command: readonly string[]): string[] {
    return this.#namespaces.command(end, command);
  }

  ip(end: End, lines: readonly string[]): void {
    this.#namespaces.ip(end, lines);
  }

  run(end: End, command: readonly string[], input?: string): string {
    return run(this.command(end, command), input);
  }

  /** Returns the rate of one TCP flow from a to b as the receiver counted it. */
  async gbits(layer: Layer, seconds: number): Promise<number> {
    const host = (layer === "inner" ? INNER : OUTER).b;
    const server = Bun.spawn(this.command("b", ["iperf3", "-s", "-1", "-p", `${PORT}`]), { stdout: "ignore" });
    try {
      await Bun.sleep(200);
      const flags = ["-c", host, "-p", `${PORT}`, "-t", `${seconds}`, "-O", "1", "-J"];
      const client = Bun.spawn(this.command("a", ["iperf3", ...flags]), {
        stdout: "pipe",
        stderr: "ignore",
        timeout: (seconds + 10) * 1_000,
      });
      const result = JSON.parse(await new Response(client.stdout).text());
      if (result.error) throw new Error(`iperf3: ${result.error}`);
      return result.end.sum_received.bits_per_second / 1e9;
    } finally {
      server.kill();
    }
  }

  /** Returns the median of an idle path, milliseconds. */
  async roundTrip(layer: Layer, count: number): Promise<number> {
    const host = (layer === "inner" ? INNER : OUTER).b;
    const child = Bun.spawn(this.command("a", ["ping", "-n", "-c", `${count}`, "-i", "0.01", "-w", "10", host]), {
      stdout: "pipe",
    });
    const text = await new Response(child.stdout).text();
    const times = [...text.matchAll(/time=([\d.]+) ms/g)].map((found) => Number(found[1]));
    if (times.length < count / 2) throw new Error(`only ${times.length} of ${count} pings came back`);
    return median(times);
  }

  remove(): void {
    this.#namespaces.remove();
    process.off("exit", this.#onExit);
  }
}
