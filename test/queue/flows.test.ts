import { describe, expect, test } from "bun:test";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { Flows } from "../../src/queue/flows.ts";
import { Glance } from "../../src/wire/ip.ts";
import { BUCKET_MASK } from "../../src/wire/messages.ts";
import { ipv4, ports } from "../support/internet.ts";

const pool = new PacketPool(4, 200);

function bucketOf(flows: Flows, packet: Uint8Array): number {
  const view = new DataView(packet.buffer);
  const glance = new Glance();
  glance.at(view, 0, packet.length);
  return flows.bucketOf(view, 0, glance);
}

describe("Flows", () => {
  test("gives a flow one bucket, which its size and content do not change", () => {
    const flows = new Flows(1);
    const bucket = bucketOf(flows, ipv4(17, ports(5, 6, 20)));
    expect(bucketOf(flows, ipv4(17, ports(5, 6, 90)))).toBe(bucket);
    expect(bucket).toBeWithin(0, BUCKET_MASK + 1);
  });

  test("gives flows other buckets in another run", () => {
    const packets = Array.from({ length: 50 }, (_, port) => ipv4(17, ports(port, 6)));
    const [a, b] = [1, 2].map((salt) => packets.map((packet) => bucketOf(new Flows(salt), packet)));
    expect(a).not.toEqual(b as number[]);
  });

  test("counts each bucket for itself, and begins anew after 2^24", () => {
    const flows = new Flows(1);
    const slot = pool.take();
    const sequenceOf = (bucket: number) => {
      flows.assign(pool, slot, bucket);
      return pool.sequence[slot];
    };
    expect([sequenceOf(3), sequenceOf(3), sequenceOf(4), sequenceOf(3)]).toEqual([0, 1, 0, 2]);
    expect(pool.flow[slot]).toBe(3);
    for (let i = 3; i < 2 ** 24; i++) flows.assign(pool, slot, 3);
    expect([sequenceOf(3), sequenceOf(3), sequenceOf(4)]).toEqual([0, 1, 1]);
    pool.release(slot);
  });
});
