/**
 * Configures a TUN interface in a network namespace of its own and sends it a router advertisement, as a hostile peer would.
 * Prints what became of the host, one JSON line. Its first argument is the value of accept_ra that other interfaces have.
 */
import { writeSync } from "node:fs";
import { openTun } from "../../ffi/tun.ts";
import { configureInterface } from "../../src/host/host.ts";

const CONF = "/proc/sys/net/ipv6/conf";

/** From fe80::bad to all nodes: default router of high preference, and the prefix 2001:db8:bad::/64 for autoconfiguration. */
function routerAdvertisement(): Uint8Array {
  const packet = Uint8Array.fromHex(
    [
      "6000000000303aff",
      "fe800000000000000000000000000bad",
      "ff020000000000000000000000000001",
      "86000000",
      // Hop limit 64, preference high, lifetime 1,800 s.
      "40080708",
      "0000000000000000",
      // Prefix information: /64, on-link and autonomous, valid and preferred for an hour.
      "030440c0",
      "00000e10",
      "00000e10",
      "00000000",
      "20010db80bad00000000000000000000",
    ].join(""),
  );
  const view = new DataView(packet.buffer);
  let sum = packet.length - 40 + 58;
  for (let at = 8; at < packet.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(42, ~sum & 0xffff);
  return packet;
}

const accepts = process.argv[2] ?? "1";
for (const which of ["all", "default"]) await Bun.write(`${CONF}/${which}/accept_ra`, accepts);
// As `up` of another tunnel leaves it.
await Bun.write(`${CONF}/all/forwarding`, accepts === "2" ? "1" : "0");

const tun = openTun("nc0");
const { signal } = new AbortController();
await configureInterface("nc0", { addresses: process.argv.slice(3), mtu: 1380 }, signal);
const advertisement = routerAdvertisement();
const prefixed = new Uint8Array(tun.format.prefixSize + advertisement.length);
prefixed.set(advertisement, tun.format.prefixSize);
writeSync(tun.fd, prefixed);
// The kernel has handled a packet when the write of it returns.
const ip = (...words: string[]) => Bun.spawnSync(["ip", ...words]).stdout.toString();
process.stdout.write(
  `${JSON.stringify({
    defaultRoute: ip("-6", "route", "show", "default"),
    hasAutoconfigured: ip("-6", "address", "show", "dev", "nc0").includes("2001:db8:bad:"),
    hasLinkLocal: ip("-6", "address", "show", "dev", "nc0").includes("fe80:"),
  })}\n`,
);
