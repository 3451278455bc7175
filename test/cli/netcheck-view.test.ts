import { describe, expect, test } from "bun:test";
import { colours } from "../../src/cli/colour.ts";
import { judgeLink, type LinkFacts, renderFindings } from "../../src/cli/netcheck-view.ts";
import type { NamedEcho } from "../../src/cli/ping-command.ts";
import type { LinkSnapshot, PathSnapshot, SocketSnapshot } from "../../src/portal/snapshot.ts";

const PATH = { name: "lte", local: "10.64.3.9", remote: "203.0.113.7:4725", state: "up", mtu: 1472, mtuState: "found" };
const LINK = { name: "lte", role: "initiate", state: "up", paths: [PATH as PathSnapshot] } as LinkSnapshot;
const ECHO: NamedEcho = {
  link: "lte",
  path: "lte",
  remote: "203.0.113.7:4725",
  isBest: false,
  rtt: 45_000,
  seen: "198.51.100.4:51022",
};
const MEBI = 1 << 20;
const SOCKET: SocketSnapshot = {
  link: 0,
  asked: 8 * MEBI,
  receiveBuffer: 8 * MEBI,
  sendBuffer: 8 * MEBI,
  gso: true,
  gro: true,
};

function facts(changes: Partial<LinkFacts> = {}): LinkFacts {
  const egress = { isRight: true, text: "leaves by wwan0 with 10.64.3.9" };
  return { link: LINK, reason: "", echoes: [ECHO], sockets: [SOCKET], egress, ...changes };
}

const render = (given: LinkFacts) => renderFindings(judgeLink(given), colours({ isTTY: false }));

describe("What netcheck says of a link", () => {
  test("is good when the peer answers and packets leave as they should", () => {
    expect(judgeLink(facts())).toMatchObject({ isGood: true, peer: "answers" });
    expect(render(facts())).toBe(`lte: good
  peer     203.0.113.7:4725 in 45.0 ms
  address  10.64.3.9, which the peer sees as 198.51.100.4:51022: behind NAT
  mtu      datagrams of 1472 bytes
  buffers  8.00 MiB to receive, 8.00 MiB to send
  route    leaves by wwan0 with 10.64.3.9`);
  });

  test("knows NAT from the address that the peer sees, for both IP versions", () => {
    const natOf = (local: string, seen: string) => {
      const link = { ...LINK, paths: [{ ...PATH, local } as PathSnapshot] };
      return judgeLink(facts({ link, echoes: [{ ...ECHO, seen }] })).paths[0]?.nat;
    };
    expect(natOf("10.64.3.9", "10.64.3.9:4725")).toBe("none");
    expect(natOf("10.64.3.9:1", "10.64.3.9:4725")).toBe("none");
    expect(natOf("10.64.3.9", "10.64.3.99:4725")).toBe("translated");
    expect(natOf("2001:db8::1", "[2001:db8::1]:4725")).toBe("none");
    expect(natOf("[2001:db8::1]:7", "[2001:db8::2]:4725")).toBe("translated");
    expect(natOf("10.64.3.9", "")).toBe("unknown");
  });

  test("is not good when nobody answers, and says why", () => {
    const link = { ...LINK, state: "waiting", paths: [] } as LinkSnapshot;
    const given = facts({ link, echoes: [], reason: "no answer from the peer" });
    expect(render(given)).toStartWith("lte: not good\n  peer     does not answer: no answer from the peer\n");
    expect(judgeLink(facts({ echoes: [{ ...ECHO, rtt: undefined, seen: "" }] })).isGood).toBe(false);
    expect(judgeLink(facts({ echoes: [] })).paths[0]).toMatchObject({ rtt: undefined, nat: "unknown" });
  });

  test("is not good when packets leave by another way", () => {
    expect(judgeLink(facts({ egress: { isRight: false, text: "no route" } })).isGood).toBe(false);
    expect(judgeLink(facts({ egress: undefined })).isGood).toBe(true);
  });

  test("takes a link that waits for its peer for good", () => {
    const link = { ...LINK, role: "listen", state: "listening", paths: [] } as LinkSnapshot;
    expect(judgeLink(facts({ link, echoes: [] }))).toMatchObject({ isGood: true, peer: "has not connected yet" });
    const stopped = { ...link, state: "stopped" } as LinkSnapshot;
    expect(judgeLink(facts({ link: stopped, echoes: [] })).isGood).toBe(false);
  });

  test("tells buffers that were not granted, each kind once, and an MTU that is not known yet", () => {
    const small = { ...SOCKET, receiveBuffer: MEBI };
    const searching = { ...LINK, paths: [{ ...PATH, mtuState: "searching" } as PathSnapshot] };
    const text = render(facts({ link: searching, sockets: [small, small, { ...SOCKET, asked: 0 }] }));
    expect(text).toContain("mtu      datagrams of 1472 bytes (searching)");
    expect(text.match(/^ {2}buffers .*$/gm)).toEqual([
      "  buffers  1.00 MiB to receive, 8.00 MiB to send, 8.00 MiB requested: raise net.core.rmem_max and wmem_max (FreeBSD: kern.ipc.maxsockbuf), or run as root",
      "  buffers  8.00 MiB to receive, 8.00 MiB to send, chosen by the system",
    ]);
  });
});
