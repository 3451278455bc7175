import { describe, expect, test } from "bun:test";
import { parseNetstat, parseProcIpv6Route, parseProcRoute, uplinks } from "../../src/host/default-routes.ts";

const PROC_ROUTE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wan1	00000000	01014D0A	0003	0	0	101	00000000	0	0	0
wan0	00000000	01004D0A	0003	0	0	100	00000000	0	0	0
wan0	00004D0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
vpn0	00000000	00000000	0001	0	0	0	00000080	0	0	0
*	00000000	00000000	0200	0	0	9999	00000000	0	0	0
gone	00000000	01014D0A	0002	0	0	1	00000000	0	0	0
`;

const ZERO = "0".repeat(32);
const PROC_IPV6 = `${ZERO} 00 ${ZERO} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003    wan1
${ZERO} 00 ${ZERO} 00 fe800000000000000000000000000001 00000064 00000001 00000000 00450003    wan0
fd770000000000000000000000000000 40 ${ZERO} 00 ${ZERO} 00000100 00000001 00000000 00000001    wan2
${ZERO} 00 ${ZERO} 00 ${ZERO} ffffffff 00000001 00000000 00200200       lo
`;

const NETSTAT = `Routing tables

Internet:
Destination        Gateway            Flags     Netif Expire
default            192.0.2.1          UGS         em0
127.0.0.1          link#2             UH          lo0
default            198.51.100.1       UGRS        em1
192.0.2.0/24       link#1             U           em0
`;

describe("Interfaces with a default route", () => {
  test("are read from /proc/net, the preferred first", () => {
    expect(parseProcRoute(PROC_ROUTE)).toEqual([
      { interface: "wan0", family: 4 },
      { interface: "wan1", family: 4 },
    ]);
    expect(parseProcIpv6Route(PROC_IPV6)).toEqual([
      { interface: "wan0", family: 6 },
      { interface: "wan1", family: 6 },
    ]);
    expect([...parseProcRoute(""), ...parseProcIpv6Route("")]).toEqual([]);
  });

  test("are read from netstat of FreeBSD, without those that reject", () => {
    expect(parseNetstat(NETSTAT, 4)).toEqual([{ interface: "em0", family: 4 }]);
  });

  test("are each named once, with their families", () => {
    expect(
      uplinks([
        { interface: "b", family: 4 },
        { interface: "a", family: 4 },
        { interface: "b", family: 6 },
      ]),
    ).toEqual([
      { interface: "b", families: [4, 6] },
      { interface: "a", families: [4] },
    ]);
  });
});
