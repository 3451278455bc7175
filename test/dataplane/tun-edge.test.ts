import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Poller } from "../../ffi/poller.ts";
import { openTun, type TunDescriptor, type TunOffload } from "../../ffi/tun.ts";
import { TunEdge } from "../../src/dataplane/tun-edge.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";

const canRun = process.getuid?.() === 0 && existsSync("/dev/net/tun") && Bun.which("ip") !== null;
if (!canRun) console.warn("tun-edge: not run, needs root, /dev/net/tun and ip");
const realKernel = test.skipIf(!canRun);

const BYTES = 8_000_000;
const SLOTS = 1024;
const PORT = "4000";
const undo: (() => void)[] = [];

afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});

function ip(...args: string[]): void {
  const result = Bun.spawnSync(["ip", ...args]);
  if (result.exitCode !== 0) throw new Error(`ip ${args.join(" ")}: ${result.stderr.toString()}`);
}

let created = 0;

interface End {
  readonly space: string;
  readonly tun: TunDescriptor;
  readonly edge: TunEdge;
  readonly batch: PacketBatch;
}

/** A TUN in a namespace of its own with 10.99.0.x and fd99::x. */
function openEnd(pool: PacketPool, number: 1 | 2, offload: TunOffload): End {
  const space = `nctun${process.pid}-${created}`;
  const device = `nct${process.pid % 100000}x${created++}`;
  ip("netns", "add", space);
  undo.push(() => ip("netns", "del", space));
  const tun = openTun(device, offload);
  undo.push(() => tun.close());
  ip("link", "set", device, "netns", space);
  ip("-n", space, "addr", "add", `10.99.0.${number}/24`, "dev", device);
  ip("-n", space, "addr", "add", `fd99::${number}/64`, "dev", device, "nodad");
  ip("-n", space, "link", "set", device, "mtu", "1380", "up");
  ip("-n", space, "link", "set", "lo", "up");
  return { space, tun, edge: new TunEdge(pool, tun, 256), batch: new PacketBatch(256) };
}

function spawnPeer(end: End, ...args: string[]) {
  const script = join(import.meta.dir, "traffic-peer.ts");
  const child = Bun.spawn(["ip", "netns", "exec", end.space, process.execPath, script, ...args], {
    stdout: "pipe",
    stderr: "inherit",
  });
  undo.push(() => child.kill());
  return child;
}

/** Carries packets both ways until `isDone`, or until nothing has come for long. */
async function shuttle(a: End, b: End, isDone: () => boolean): Promise<void> {
  const poller = new Poller();
  poller.add(a.tun.fd);
  poller.add(b.tun.fd);
  for (let idle = 0; idle < 3000 && !isDone(); ) {
    idle = poller.wait(5000) > 0 ? 0 : idle + 1;
    carry(a, b);
    carry(b, a);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function carry(from: End, to: End): void {
  from.edge.read(from.batch);
  to.edge.write(from.batch);
  from.batch.clear();
}

async function transfer(a: End, b: End, host: string): Promise<{ sent: string; received: string }> {
  const listener = spawnPeer(b, "listen", host, PORT);
  const reader = listener.stdout.getReader();
  const ready = new TextDecoder().decode((await reader.read()).value);
  expect(ready).toContain("ready");
  const sender = spawnPeer(a, "send", host, PORT, String(BYTES));
  await shuttle(a, b, () => listener.exitCode !== null && sender.exitCode !== null);
  const received = new TextDecoder().decode((await reader.read()).value);
  return { sent: await sender.stdout.text(), received };
}

describe("TunEdge between two kernels", () => {
  const modes: readonly (readonly [a: TunOffload, b: TunOffload, host: string])[] = [
    ["auto", "auto", "10.99.0.2"],
    ["auto", "auto", "fd99::2"],
    ["auto", "none", "10.99.0.2"],
    ["none", "auto", "fd99::2"],
    ["none", "none", "10.99.0.2"],
    ["none", "none", "fd99::2"],
  ];

  for (const [offloadA, offloadB, host] of modes) {
    realKernel(
      `carries a TCP transfer from a TUN with offload ${offloadA} to one with ${offloadB}, towards ${host}`,
      async () => {
        const pool = new PacketPool(SLOTS, 2048);
        const a = openEnd(pool, 1, offloadA);
        const b = openEnd(pool, 2, offloadB);
        const { sent, received } = await transfer(a, b, host);
        expect(received).toBe(sent);
        expect(received).toStartWith(`${BYTES} `);
        expect(a.edge.packetsRead).toBeGreaterThan(BYTES / 1380);
        if (offloadA === "auto") expect(a.edge.packetsRead).toBeGreaterThan(2 * a.edge.reads);
        else expect(a.edge.packetsRead).toBe(a.edge.reads);
        if (offloadB === "auto") expect(b.edge.superPackets).toBeGreaterThan(0);
        else expect(b.edge.superPackets).toBe(0);
        expect(pool.free).toBe(SLOTS);
      },
      60_000,
    );
  }

  realKernel(
    "hands a burst of UDP to a kernel that takes UDP super-packets, datagram by datagram",
    async () => {
      const pool = new PacketPool(SLOTS, 2048);
      const a = openEnd(pool, 1, "auto");
      const b = openEnd(pool, 2, "auto");
      const listener = spawnPeer(b, "udp-listen", "10.99.0.2", PORT, "50");
      const reader = listener.stdout.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toContain("ready");
      const sender = spawnPeer(a, "udp-send", "10.99.0.2", PORT, "50");
      // All of them wait in the queue of the TUN before the first is read.
      expect(await sender.exited).toBe(0);
      await shuttle(a, b, () => listener.exitCode !== null);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(await sender.stdout.text());
      expect(b.edge.superPackets > 0).toBe(b.tun.format.uso);
      expect(pool.free).toBe(SLOTS);
    },
    30_000,
  );

  realKernel("tells of an interface that was deleted", () => {
    const pool = new PacketPool(16, 2048);
    const end = openEnd(pool, 1, "auto");
    expect(end.edge.isGone).toBe(false);
    ip("-n", end.space, "link", "del", end.tun.name);
    end.edge.read(end.batch);
    expect(end.edge.isGone).toBe(true);
    const poller = new Poller();
    poller.add(end.tun.fd);
    expect(poller.wait(0)).toBe(1);
  });
});
