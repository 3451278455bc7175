import { describe, expect, test } from "bun:test";
import { addressOf, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { NO_OWNER, type Prefix, PrefixTable } from "../../src/portal/prefix-table.ts";
import { seeded } from "../support/seed.ts";

const bytesOf = (address: string): Uint8Array => addressOf(parseEndpoint(address) as Endpoint);

function prefix(network: string, owner: number): Prefix {
  const [address = "", length = ""] = network.split("/");
  return { bytes: bytesOf(address), length: Number(length), owner };
}

function find(table: PrefixTable, address: string | Uint8Array): number {
  const bytes = typeof address === "string" ? bytesOf(address) : address;
  // Somewhere in a packet, not at its start.
  const packet = new Uint8Array(40);
  packet.set(bytes, 12);
  return table.find(packet, 12, bytes.length);
}

describe("PrefixTable", () => {
  test("finds nobody in an empty table", () => {
    expect(find(new PrefixTable([]), "192.0.2.1")).toBe(NO_OWNER);
  });

  test("finds the longest prefix, whatever the order in which they are given", () => {
    const networks = [prefix("10.47.25.1/32", 3), prefix("0.0.0.0/0", 1), prefix("10.47.25.0/24", 2)];
    for (const given of [networks, networks.toReversed()]) {
      const table = new PrefixTable(given);
      const found = ["10.47.25.1", "10.47.25.2", "10.47.26.1", "8.8.8.8"].map((address) => find(table, address));
      expect(found).toEqual([3, 2, 1, 1]);
    }
  });

  test("keeps to prefixes that end within a byte", () => {
    const table = new PrefixTable([prefix("100.64.0.0/10", 1), prefix("203.0.113.4/30", 2)]);
    const addresses = ["100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0", "203.0.113.3", "203.0.113.7"];
    expect(addresses.map((address) => find(table, address))).toEqual([0, 1, 1, 0, 0, 2]);
  });

  test("finds IPv6 hosts and networks", () => {
    const table = new PrefixTable([prefix("::/0", 1), prefix("fd47:25::/64", 2), prefix("fd47:25::1/128", 3)]);
    const addresses = ["2001:db8::1", "fd47:25::2", "fd47:25:0:1::1", "fd47:25::1"];
    expect(addresses.map((address) => find(table, address))).toEqual([1, 2, 1, 3]);
  });

  test("takes the later of two networks that are alike", () => {
    expect(find(new PrefixTable([prefix("10.0.0.0/8", 1), prefix("10.0.0.0/8", 2)]), "10.1.1.1")).toBe(2);
  });

  for (const size of [4, 16]) {
    test(
      `finds what a search through all networks finds, ${size} bytes`,
      seeded((random) => {
        // Few values for each byte, so that prefixes lie within each other.
        const draw = () => Uint8Array.from({ length: size }, () => random.below(3) * 80);
        const prefixes = Array.from({ length: 60 }, (_, i) => ({
          bytes: draw(),
          length: random.below(8 * size + 1),
          owner: i + 1,
        }));
        const table = new PrefixTable(prefixes);
        for (let i = 0; i < 2_000; i++) {
          const address = draw();
          const holding = prefixes.filter((one) => holds(one, address));
          const longest = holding.reduce((best, one) => (one.length >= best.length ? one : best), {
            length: -1,
            owner: 0,
          });
          expect(find(table, address)).toBe(longest.owner);
        }
      }),
    );
  }
});

function holds({ bytes, length }: Prefix, address: Uint8Array): boolean {
  for (let bit = 0; bit < length; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((bytes[bit >> 3] as number) & mask) !== ((address[bit >> 3] as number) & mask)) return false;
  }
  return true;
}
