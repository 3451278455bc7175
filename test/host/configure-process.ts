/** Configures a TUN interface in a network namespace of its own; prints what the system then says, one JSON line. */
import { interfaceMtu, isInterfaceUp } from "../../ffi/interfaces.ts";
import { openTun } from "../../ffi/tun.ts";
import { formatAddress } from "../../src/endpoint.ts";
import { configureInterface, deleteInterface, interfaceAddresses, interfaceExists } from "../../src/host/host.ts";

const { signal } = new AbortController();
const complaints: string[] = [];

async function complain(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    complaints.push((error as Error).message);
  }
}

const tun = openTun("nc0");
await complain(() => interfaceAddresses("nc0"));
const addresses = ["10.9.8.1/24", "10.9.7.1/32", "fd00:9::1/64", "fd00:8::1/128"];
await configureInterface("nc0", { addresses, mtu: 1380, txQueueLength: 321 }, signal);
// Once more: what is set already stays.
await configureInterface("nc0", { addresses, mtu: 1381 }, signal);
const shown = Bun.spawnSync(["ip", "-o", "addr", "show", "nc0"]).stdout.toString();
// The link-local address is the kernel's own, which looks for duplicates of it in its time.
const isTentative = shown.split("\n").some((line) => line.includes("tentative") && !line.includes(" fe80:"));
const link = Bun.spawnSync(["ip", "link", "show", "nc0"]).stdout.toString();
const found = interfaceAddresses("nc0").map(formatAddress).sort();
const state = { mtu: interfaceMtu("nc0"), isUp: isInterfaceUp("nc0"), exists: interfaceExists("nc0") };
await complain(() => configureInterface("nc0", { addresses: ["10.9.8.1/33"], mtu: 1380 }, signal));
await complain(() => configureInterface("nc0", { addresses: [], mtu: 10 }, signal));
await complain(() => configureInterface("nc1", { addresses: [], mtu: 1380 }, signal));
await deleteInterface("nc0", signal);
await complain(() => interfaceAddresses("nc0"));
tun.read();
process.stdout.write(
  `${JSON.stringify({
    ...state,
    found,
    complaints,
    tentative: isTentative,
    prefixes: addresses.map((address) => shown.includes(address.replace("/32", ""))),
    queue: link.includes("qlen 321"),
    gone: tun.isGone,
  })}\n`,
);
