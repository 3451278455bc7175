import { describe, expect, test } from "bun:test";
import { PACKET_FLAG, PacketPool } from "../../src/memory/packet-pool.ts";
import { classify } from "../../src/queue/classify.ts";
import { Flows } from "../../src/queue/flows.ts";
import { BUCKET_MASK } from "../../src/wire/data.ts";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { ipv4, ports, tcp } from "../support/packets/build.ts";

const pool = new PacketPool(4, 200);

/** The bucket of a packet, and what its flags then say. */
function look(flows: Flows, packet: Uint8Array): { bucket: number; isNewFlow: boolean; isPrompt: boolean } {
  const slot = pool.take();
  pool.bytes.set(packet, pool.start[slot]);
  const start = pool.start[slot] as number;
  const parsed = new ParsedHeader();
  parsed.parse(pool.view, start, packet.length);
  const bucket = flows.recognise(pool, slot, parsed, classify(pool.view, start, parsed));
  const flags = pool.flags[slot] as number;
  pool.release(slot);
  return {
    bucket,
    isNewFlow: (flags & PACKET_FLAG.NEW_FLOW) !== 0,
    isPrompt: (flags & PACKET_FLAG.PROMPT) !== 0,
  };
}

describe("Flows", () => {
  test("gives a flow one bucket, which its size and content do not change", () => {
    const flows = new Flows(1);
    const { bucket } = look(flows, ipv4(17, ports(5, 6, 20)));
    expect(look(flows, ipv4(17, ports(5, 6, 90))).bucket).toBe(bucket);
    expect(bucket).toBeWithin(0, BUCKET_MASK + 1);
  });

  test("gives flows other buckets in another run", () => {
    const packets = Array.from({ length: 50 }, (_, port) => ipv4(17, ports(port, 6)));
    const [a, b] = [1, 2].map((salt) => packets.map((packet) => look(new Flows(salt), packet).bucket));
    expect(a).not.toEqual(b as number[]);
  });

  test("takes the first packet of a flow for a stranger's, also after a flood of others has passed", () => {
    const flows = new Flows(1);
    const packet = ipv4(17, ports(5, 6));
    expect([look(flows, packet), look(flows, packet)].map((one) => one.isNewFlow)).toEqual([true, false]);
    let newFlows = 0;
    for (let port = 100; port < 2_100; port++) newFlows += look(flows, ipv4(17, ports(port, 6))).isNewFlow ? 1 : 0;
    expect(newFlows).toBeGreaterThan(1_950);
    expect(look(flows, packet).isNewFlow).toBe(false);
  });

  test("makes a flow of its own of bare acknowledgements, and finds the bucket of a flow from its answers", () => {
    const flows = new Flows(1);
    const content = look(flows, ipv4(6, tcp(5, 6, 0x18, 10)));
    const bare = look(flows, ipv4(6, tcp(5, 6, 0x10)));
    expect([content.isPrompt, bare.isPrompt, bare.bucket === content.bucket]).toEqual([false, true, false]);
    const answer = ipv4(6, tcp(6, 5, 0x12));
    answer.set([10, 0, 0, 2, 10, 0, 0, 1], 12);
    const view = new DataView(answer.buffer);
    const parsed = new ParsedHeader();
    parsed.parse(view, 0, answer.length);
    expect(flows.answerBucket(view, 0, parsed)).toBe(content.bucket);
  });

  test("counts each bucket for itself, and begins anew after 2^24", () => {
    const flows = new Flows(1);
    const slot = pool.take();
    const sequenceOf = (bucket: number) => {
      pool.flow[slot] = bucket;
      flows.assign(pool, slot);
      return pool.sequence[slot];
    };
    expect([sequenceOf(3), sequenceOf(3), sequenceOf(4), sequenceOf(3)]).toEqual([0, 1, 0, 2]);
    for (let i = 3; i < 2 ** 24; i++) sequenceOf(3);
    expect([sequenceOf(3), sequenceOf(3), sequenceOf(4)]).toEqual([0, 1, 1]);
    pool.release(slot);
  });
});
