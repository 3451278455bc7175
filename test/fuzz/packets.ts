/** IP packets to begin with: every shape that some decoder treats in a way of its own. */

import { counting } from "../support/bytes.ts";
import { build, extension, ipv4, ipv6, join, ports, TCP } from "../support/packets/build.ts";

const syn = (version: 4 | 6): Uint8Array => {
  const packet = build({ version, protocol: "tcp", payload: new Uint8Array(0), flags: TCP.SYN, options: 12 });
  packet.set([2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0], (version === 4 ? 20 : 40) + 20);
  return packet;
};

export const PACKETS: readonly Uint8Array[] = [
  build({ version: 4, protocol: "udp", payload: counting(100) }),
  build({ version: 6, protocol: "udp", payload: counting(100) }),
  build({ version: 4, protocol: "tcp", payload: counting(1_360) }),
  build({ version: 6, protocol: "tcp", payload: counting(1_340) }),
  syn(4),
  syn(6),
  ipv4(17, ports(1, 2, 200), { header: 40 }),
  ipv4(17, ports(1, 2, 200), { fragment: 0x2000 }),
  ipv4(1, counting(1_500, 8), { fragment: 0x4000 }),
  ipv4(17, counting(1_500)),
  ipv6(58, counting(1_500, 128)),
  ipv6(0, join(extension(43, 16), extension(60, 8), extension(6, 8), syn(6).subarray(40))),
  ipv6(44, join(Uint8Array.of(17, 0, 0, 1, 0, 0, 0, 1), ports(1, 2, 90))),
];
