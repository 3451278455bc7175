import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatAddress } from "../../src/endpoint.ts";
import { CommandFailure } from "../../src/host/command.ts";
import { configureFreebsd, deleteFreebsd, freebsdCommands } from "../../src/host/freebsd.ts";
import { type AddressLookup, interfaceAddresses, parsePrefixedAddress } from "../../src/host/host.ts";
import type { Command } from "../../src/host/step.ts";

const tools = ["unshare", "ip"].every((tool) => Bun.which(tool) !== null);
const canRun = process.getuid?.() === 0 && existsSync("/dev/net/tun") && tools;
if (!canRun) console.warn("host: not run on a kernel, needs root, /dev/net/tun, unshare and ip");

describe("configureInterface", () => {
  test.skipIf(!canRun)(
    "sets MTU, several addresses of both families, usable at once, and up; deletes it again",
    async () => {
      const script = join(import.meta.dir, "configure-process.ts");
      const child = Bun.spawn(["unshare", "-n", process.execPath, script], { stdout: "pipe", stderr: "inherit" });
      try {
        expect(JSON.parse(await child.stdout.text())).toEqual({
          mtu: 1381,
          isUp: true,
          exists: true,
          found: ["10.9.7.1", "10.9.8.1", "fd00:8::1", "fd00:9::1"],
          complaints: [
            "interface nc0 has no address",
            "10.9.8.1/33 is not an interface address; write it like 10.1.2.1/24 or fd00::1/64",
            "cannot configure nc0: EINVAL",
            "interface nc1 does not exist: ENODEV",
            "interface nc0 does not exist",
          ],
          tentative: false,
          prefixes: [true, true, true, true],
          queue: true,
          gone: true,
        });
      } finally {
        child.kill();
      }
    },
    30_000,
  );

  test.each(["10.0.0.1/33", "fd00::1/129", "10.0.0.1/", "10.0.0.1/8/8", "fe80::1%2/64", "host/8", ""])(
    "refuses %p as an address",
    (text) => {
      expect(() => parsePrefixedAddress(text)).toThrow("not an interface address");
    },
  );

  test("takes an address without a prefix length as a host", () => {
    expect(parsePrefixedAddress("10.0.0.1").prefix).toBe(32);
    expect(parsePrefixedAddress("fd00::1").prefix).toBe(128);
  });
});

describe("on FreeBSD", () => {
  const settings = { addresses: ["10.1.2.1/20", "10.9.9.9", "fd00::1/64"], mtu: 1400 };
  const addresses = settings.addresses.map(parsePrefixedAddress);
  const commands = [
    "/sbin/ifconfig nc0 mtu 1400",
    "/sbin/ifconfig nc0 inet6 -accept_rtadv no_radr -auto_linklocal",
    "/sbin/ifconfig nc0 inet 10.1.2.1/20 10.1.2.1 alias",
    "/sbin/route -q add -net 10.1.0.0/20 -interface nc0",
    "/sbin/ifconfig nc0 inet 10.9.9.9/32 10.9.9.9 alias",
    "/sbin/ifconfig nc0 inet6 fd00::1/64 no_dad alias",
    "/sbin/ifconfig nc0 up",
  ];

  test("an interface is configured by these commands", () => {
    expect(freebsdCommands("nc0", settings, addresses).map((command) => command.join(" "))).toEqual(commands);
  });

  test("the commands are run in order and stop at the first that fails", async () => {
    const ran: string[] = [];
    const { signal } = new AbortController();
    const run = async ({ argv }: Command): Promise<void> => {
      ran.push(argv.join(" "));
      if (ran.length === 4) throw new Error("refused");
    };
    await expect(configureFreebsd("nc0", settings, addresses, signal, run)).rejects.toThrow("refused");
    await deleteFreebsd("nc0", signal, async ({ argv }) => {
      expect(argv).toEqual(["/sbin/ifconfig", "nc0", "destroy"]);
    });
    expect(ran).toEqual(commands.slice(0, 4));
  });

  test("a kernel without IPv6 is no failure", async () => {
    const ran: string[] = [];
    const run = async ({ argv }: Command): Promise<void> => {
      ran.push(argv.join(" "));
      if (argv.includes("-accept_rtadv")) throw new CommandFailure("Address family not supported", false);
    };
    await configureFreebsd("nc0", settings, addresses, new AbortController().signal, run);
    expect(ran).toEqual(commands);
  });
});

describe("interfaceAddresses", () => {
  const entry = (address: string, scopeid = 0) => ({
    address,
    netmask: "",
    mac: "",
    internal: false,
    cidr: null,
    ...(address.includes(":") ? { family: "IPv6" as const, scopeid } : { family: "IPv4" as const }),
  });
  const lookup = (...addresses: ReturnType<typeof entry>[]): AddressLookup => {
    return () => ({ eth0: addresses }) as ReturnType<AddressLookup>;
  };
  const found = (...entries: ReturnType<typeof entry>[]) =>
    interfaceAddresses("eth0", lookup(...entries)).map(formatAddress);

  test("gives IPv4 first, then global IPv6, and no link-local", () => {
    expect(found(entry("fe80::1", 2), entry("2001:db8::1"), entry("192.0.2.1"))).toEqual(["192.0.2.1", "2001:db8::1"]);
  });

  test("gives a link-local address with its scope when there is no other IPv6", () => {
    expect(found(entry("fe80::1", 2))).toEqual(["fe80::1%2"]);
  });

  test("tells a missing interface from one without addresses", () => {
    expect(() => interfaceAddresses("nc-none", lookup())).toThrow("does not exist");
    expect(() => interfaceAddresses("lo", () => ({}))).toThrow("interface lo has no address");
  });
});
