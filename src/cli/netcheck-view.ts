/** Judges one link from what `netcheck` measured, and renders the findings. Pure. */
import type { Egress } from "../host/egress.ts";
import { formatBytes, formatMillis } from "../monitor/units.ts";
import type { LinkSnapshot, SocketSnapshot } from "../portal/snapshot.ts";
import type { Colours } from "./colour.ts";
import type { NamedEcho } from "./ping-command.ts";

export interface LinkFacts {
  readonly link: LinkSnapshot;
  /** Reason why the last attempt failed, if it is not up. */
  readonly reason: string;
  readonly echoes: readonly NamedEcho[];
  readonly sockets: readonly SocketSnapshot[];
  readonly egress: Egress | undefined;
}

export interface LinkFindings {
  readonly name: string;
  /** True if the peer answers and packets leave as they should. A listening link is good before its peer has connected. */
  readonly isGood: boolean;
  readonly peer: string;
  readonly paths: readonly PathFindings[];
  readonly buffers: readonly BufferFindings[];
  readonly route: Egress | undefined;
}

export interface PathFindings {
  readonly name: string;
  readonly remote: string;
  /** Round-trip time, µs; undefined without an answer. */
  readonly rtt: number | undefined;
  readonly local: string;
  /** Our address as the peer sees it; empty if the peer did not say. */
  readonly seen: string;
  readonly nat: "none" | "translated" | "unknown";
  /** Largest datagram, bytes. */
  readonly mtu: number;
  readonly isMtuFound: boolean;
}

export interface BufferFindings {
  /** Bytes requested of each buffer; 0 where the system chooses. */
  readonly requested: number;
  readonly receive: number;
  readonly send: number;
  readonly isGranted: boolean;
}

export function judgeLink({ link, reason, echoes, sockets, egress }: LinkFacts): LinkFindings {
  const paths = link.paths.map((path) => {
    const echo = echoes.find((candidate) => candidate.path === path.name && candidate.remote === path.remote);
    const seen = echo?.seen ?? "";
    return {
      name: path.name,
      remote: path.remote,
      rtt: echo?.rtt,
      local: path.local,
      seen,
      nat: natOf(path.local, seen),
      mtu: path.mtu,
      isMtuFound: path.mtuState !== "searching",
    };
  });
  const answers = paths.some((path) => path.rtt !== undefined);
  const waits = link.role === "listen" && link.paths.length === 0 && link.state === "listening";
  return {
    name: link.name,
    isGood: (answers || waits) && egress?.isRight !== false,
    peer: answers ? "answers" : waits ? "has not connected yet" : `does not answer: ${reason}`,
    paths,
    buffers: distinctBuffers(sockets),
    route: egress,
  };
}

function natOf(local: string, seen: string): PathFindings["nat"] {
  if (seen === "" || local === "none") return "unknown";
  return addressIn(local) === addressIn(seen) ? "none" : "translated";
}

/** Returns the address in "192.0.2.1:4725", "[2001:db8::1]:4725" or an address alone. */
function addressIn(text: string): string {
  const bracketed = /^\[(.*)\](:\d+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  return /^[^:]*:\d+$/.test(text) ? text.slice(0, text.indexOf(":")) : text;
}

/** Returns the buffers of the sockets, without repetitions: a listener may have many sockets alike. */
function distinctBuffers(sockets: readonly SocketSnapshot[]): BufferFindings[] {
  const all = sockets.map(({ asked, receiveBuffer, sendBuffer }) => ({
    requested: asked,
    receive: receiveBuffer,
    send: sendBuffer,
    isGranted: receiveBuffer >= asked && sendBuffer >= asked,
  }));
  return all.filter((buffers, i) => all.findIndex((other) => Bun.deepEquals(other, buffers)) === i);
}

export function renderFindings(found: LinkFindings, c: Colours): string {
  const row = (title: string, text: string) => `  ${c.bold(title.padEnd(8))} ${text}`;
  return [
    `${c.bold(c.yellow(found.name))}: ${found.isGood ? c.green("good") : c.red("not good")}`,
    ...(found.paths.length === 0 ? [row("peer", found.peer)] : []),
    ...found.paths.flatMap((path) => [
      row(
        "peer",
        path.rtt === undefined ? `${path.remote} ${found.peer}` : `${path.remote} in ${formatMillis(path.rtt)}`,
      ),
      row("address", addressText(path)),
      row("mtu", `datagrams of ${path.mtu} bytes${path.isMtuFound ? "" : " (searching)"}`),
    ]),
    ...found.buffers.map((buffers) => row("buffers", bufferText(buffers))),
    ...(found.route ? [row("route", found.route.text)] : []),
  ].join("\n");
}

function addressText({ local, seen, nat }: PathFindings): string {
  if (nat === "unknown") return `${local}; the peer did not say from which address it receives`;
  return nat === "none" ? `${local}, no NAT` : `${local}, which the peer sees as ${seen}: behind NAT`;
}

function bufferText({ requested, receive, send, isGranted }: BufferFindings): string {
  const granted = `${formatBytes(receive)} to receive, ${formatBytes(send)} to send`;
  if (requested === 0) return `${granted}, chosen by the system`;
  if (isGranted) return granted;
  return `${granted}, ${formatBytes(requested)} requested: raise net.core.rmem_max and wmem_max (FreeBSD: kern.ipc.maxsockbuf), or run as root`;
}
