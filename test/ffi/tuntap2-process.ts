/** Uses tuntap2 as its programs do, in a network namespace of its own; prints what it sees, one JSON line. */
import { Tap, Tun } from "../../ffi/tuntap2.ts";

const tun = new Tun();
tun.mtu = 1400;
tun.ipv4 = "10.77.9.1/24";
tun.ipv4 = "10.77.0.1/24";
tun.ipv6 = "fd77::1/64";
tun.isUp = true;

const tap = new Tap();
tap.mac = "00:11:22:33:44:55";
tap.ipv4 = "10.78.0.1/24";
tap.up();

const addresses = Bun.spawnSync(["ip", "-o", "addr", "show", "dev", tun.name]).stdout.toString();
const before = {
  name: tun.name,
  mtu: tun.mtu,
  isUp: tun.isUp,
  ipv4: tun.ipv4,
  ipv6: tun.ipv6,
  kinds: [tun.isTun, tun.isTap, tap.isTun, tap.isTap],
  mac: tap.mac,
  replaced: !addresses.includes("10.77.9.1") && addresses.includes("10.77.0.1/24"),
};
const refused: string[] = [];
for (const set of [
  () => (tun.ipv4 = "10.0.0.1"),
  () => (tun.ipv6 = "10.0.0.1/8"),
  () => (tun.mac = "00:00:00:00:00:01"),
]) {
  try {
    set();
  } catch (error) {
    refused.push((error as Error).message);
  }
}

/** Answers the echo request it is given: source and destination change places, type 8 becomes 0. */
function answer(request: Buffer): Buffer {
  const reply = Buffer.from(request);
  request.copy(reply, 12, 16, 20);
  request.copy(reply, 16, 12, 16);
  reply[20] = 0;
  const sum = reply.readUInt16BE(22) + 0x0800;
  reply.writeUInt16BE((sum & 0xffff) + (sum >>> 16), 22);
  return reply;
}

tun.on("data", (packet: Buffer) => {
  if ((packet[0] ?? 0) >> 4 === 4 && packet[9] === 1 && packet[20] === 8) tun.write(answer(packet));
});
const ping = Bun.spawn(["ping", "-n", "-c", "1", "-W", "5", "10.77.0.9"], { stdout: "ignore", stderr: "ignore" });
const pinged = await ping.exited;
await new Promise<void>((resolve) => tap.release(() => resolve()));
await new Promise<void>((resolve) => tun.release(() => resolve()));
const left = Bun.spawnSync(["ip", "-br", "link"]).stdout.toString().trim().split("\n").length;
process.stdout.write(`${JSON.stringify({ ...before, refused, pinged, left })}\n`);
