// A client behind the local portal with the remote portal's address, set up by `up` alone (dissertation 3.3).
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { FAMILIES, PLAN } from "./addresses.ts";
import { HostNetwork } from "./host-network.ts";
import { canUseLab, LAB_TIMEOUT_MILLIS } from "./lab.ts";

const ADDRESSES = FAMILIES.map((family) => PLAN[family].remote).join(", ");
const REMOTE = ["Role = remote", `ClientAddress = ${ADDRESSES}`, "KeepPorts = tcp/22", "OpenNetworks = fd19::/64"];
const LOCAL = ["Role = local", `ClientAddress = ${ADDRESSES}`, "LanInterface = lan"];

describe.skipIf(!canUseLab)("A client with the remote portal's address", () => {
  setDefaultTimeout(LAB_TIMEOUT_MILLIS);
  let network: HostNetwork;
  const before: Record<string, string> = {};

  beforeAll(async () => {
    network = await HostNetwork.create(true);
    for (const place of ["local", "remote"] as const) before[place] = network.dump(place);
    await network.upBoth(REMOTE, LOCAL);
  });
  afterAll(() => network?.remove());

  for (const family of FAMILIES) {
    const { remote, server } = PLAN[family];

    test(`reaches and is reached by IPv${family}`, async () => {
      for (const protocol of ["tcp", "udp"] as const) {
        expect(await network.ask("client", protocol, server, 5000, remote)).toBe(`server ${remote}`);
        expect(await network.ask("server", protocol, remote, 5000)).toBe(`client ${server}`);
      }
      expect(network.ping("client", server, remote)).toBe(true);
      expect(network.ping("server", remote)).toBe(true);
    });

    test(`leaves SSH and its own questions to the remote portal by IPv${family}`, async () => {
      expect(await network.ask("server", "tcp", remote, 22)).toBe(`remote ${server}`);
      for (const protocol of ["tcp", "udp"] as const)
        expect(await network.ask("remote", protocol, server, 5000)).toBe(`server ${remote}`);
      expect(network.ping("remote", server)).toBe(true);
      expect(network.ping("remote", PLAN[family].remoteRouter)).toBe(true);
    });
  }

  test("leaves nothing behind", async () => {
    for (const place of ["local", "remote"] as const) {
      await network.down(place);
      expect(network.dump(place)).toBe(before[place] as string);
    }
  });
});
