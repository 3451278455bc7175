import { describe, expect, test } from "bun:test";
import { type Lookups, resolveLink } from "../../src/daemon/resolve.ts";
import { type Endpoint, familyOf, formatEndpoint, parseEndpoint, portOf } from "../../src/endpoint.ts";
import type { LinkTransport } from "../../src/portal/settings.ts";

const NAMES: Record<string, readonly string[]> = {
  "both.example": ["2001:db8::1", "192.0.2.1"],
  "four.example": ["192.0.2.1", "192.0.2.2"],
  "six.example": ["2001:db8::1"],
  "empty.example": [],
};
const INTERFACES: Record<string, readonly string[]> = {
  eth0: ["198.51.100.5", "2001:db8:5::5"],
  lte0: ["fe80::5%7", "169.254.3.4", "198.51.100.6"],
  six0: ["2001:db8:6::6"],
  bare0: ["fe80::9%9"],
};

const lookups: Lookups = {
  async host(name) {
    const found = NAMES[name];
    if (found) return found;
    throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  },
  interfaceAddresses(name) {
    const found = INTERFACES[name];
    if (!found) throw new Error(`interface ${name} does not exist`);
    return found.map((text) => parseEndpoint(text) as Endpoint);
  },
  interfaceIndex: (name) => (name === "eth0" ? 2 : 0),
  bindsToInterfaces: true,
  timeout: 5_000,
};

const TRANSPORT: LinkTransport = {
  localHost: undefined,
  localInterface: undefined,
  localPort: 0,
  remoteHost: undefined,
  remotePort: 4725,
  protocol: 253,
};

async function initiate(transport: Partial<LinkTransport>, attempt = 0, own = lookups): Promise<string> {
  return show(await resolveLink({ ...TRANSPORT, ...transport }, "initiate", attempt, own));
}

async function listen(transport: Partial<LinkTransport>, own = lookups): Promise<string> {
  return show(await resolveLink({ ...TRANSPORT, localPort: 4725, remotePort: 0, ...transport }, "listen", 0, own));
}

function show(resolution: Awaited<ReturnType<typeof resolveLink>>): string {
  if ("reason" in resolution) return resolution.reason;
  const { local, remote } = resolution;
  const from = familyOf(local) === 0 ? `any:${portOf(local)}` : formatEndpoint(local);
  return `${from} -> ${formatEndpoint(remote)}`;
}

describe("resolveLink", () => {
  test("takes an address as it is, and any local one", async () => {
    expect(await initiate({ remoteHost: "192.0.2.1", localPort: 99 })).toBe("any:99 -> 192.0.2.1:4725");
    expect(await initiate({ remoteHost: "2001:db8::1" })).toBe("any:0 -> [2001:db8::1]:4725");
  });

  test("goes round the addresses of a name from one attempt to the next", async () => {
    const seen = [];
    for (let attempt = 0; attempt < 3; attempt++) seen.push(await initiate({ remoteHost: "both.example" }, attempt));
    expect(seen).toEqual(["any:0 -> [2001:db8::1]:4725", "any:0 -> 192.0.2.1:4725", "any:0 -> [2001:db8::1]:4725"]);
  });

  test("matches the family of the local end, whatever the attempt", async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const six = await initiate({ remoteHost: "both.example", localInterface: "six0" }, attempt);
      expect(six).toBe("2001:db8:6::6 -> [2001:db8::1]:4725");
      const four = await initiate({ remoteHost: "both.example", localHost: "198.51.100.5" }, attempt);
      expect(four).toBe("198.51.100.5 -> 192.0.2.1:4725");
    }
  });

  test("starts from the interface's address that reaches far, rather than from a link-local one", async () => {
    expect(await initiate({ remoteHost: "192.0.2.1", localInterface: "lte0", localPort: 7 })).toBe(
      "198.51.100.6:7 -> 192.0.2.1:4725",
    );
    expect(await initiate({ remoteHost: "fe80::1%eth0", localInterface: "bare0" })).toBe(
      "fe80::9%9 -> [fe80::1%2]:4725",
    );
  });

  test("looks addresses up anew each time", async () => {
    const addresses = [["192.0.2.1"], ["192.0.2.9"]];
    const own = { ...lookups, host: async () => addresses.shift() ?? [] };
    expect(await initiate({ remoteHost: "moving.example" }, 0, own)).toBe("any:0 -> 192.0.2.1:4725");
    expect(await initiate({ remoteHost: "moving.example" }, 0, own)).toBe("any:0 -> 192.0.2.9:4725");
  });

  test("wants LocalHost to be an address of LocalInterface", async () => {
    const remoteHost = "192.0.2.1";
    expect(await initiate({ remoteHost, localHost: "198.51.100.5", localInterface: "eth0" })).toBe(
      "198.51.100.5 -> 192.0.2.1:4725",
    );
    expect(await initiate({ remoteHost, localHost: "198.51.100.9", localInterface: "eth0" })).toBe(
      "interface eth0 does not have the address 198.51.100.9",
    );
  });

  test("says clearly why there is no address", async () => {
    expect(await initiate({ remoteHost: "nowhere.example" })).toBe("nowhere.example cannot be looked up: no such name");
    expect(await initiate({ remoteHost: "empty.example" })).toBe("empty.example has no address");
    expect(await initiate({ remoteHost: "192.0.2.1", localInterface: "wwan0" })).toBe("interface wwan0 does not exist");
    expect(await initiate({ remoteHost: "fe80::1%eth9" })).toBe("interface eth9 does not exist");
    expect(await initiate({ remoteHost: "four.example", localInterface: "six0" })).toBe(
      "four.example has only IPv4 addresses and interface six0 only IPv6",
    );
  });

  test("does not wait for ever for a name", async () => {
    const own = { ...lookups, timeout: 1, host: () => new Promise<never>(() => {}) };
    expect(await initiate({ remoteHost: "slow.example" }, 0, own)).toBe(
      "slow.example cannot be looked up: no answer within 1 ms",
    );
  });

  test("listens anywhere, at an address, or at an interface where sockets are bound to one", async () => {
    expect(await listen({})).toBe("any:4725 -> none");
    expect(await listen({ localHost: "198.51.100.5" })).toBe("198.51.100.5:4725 -> none");
    expect(await listen({ localInterface: "lte0" })).toBe("any:4725 -> none");
    expect(await listen({ localInterface: "wwan0" })).toBe("interface wwan0 does not exist");
    expect(await listen({ localInterface: "lte0" }, { ...lookups, bindsToInterfaces: false })).toBe(
      "198.51.100.6:4725 -> none",
    );
  });
});
