/** By which interface, and with which source address, packets of a link leave this host: asked of the kernel, nothing is sent. */
import { layout } from "../../ffi/layout.ts";
import { connectTo, openSocket, readLocal } from "../../ffi/socket.ts";
import { IPPROTO, systemSockets } from "../../ffi/socket-system.ts";
import {
  createEndpoint,
  type Endpoint,
  familyOf,
  formatAddress,
  parseEndpoint,
  portOf,
  samePrefix,
  setPort,
} from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { uplinks } from "./default-routes.ts";
import type { AddressLookup } from "./host.ts";

/** What is asked: where packets of such a socket to `remote` go. */
export interface EgressQuestion {
  readonly remote: Endpoint;
  /** The interface that the link is bound to; undefined for whichever the routes say. */
  readonly interface: string | undefined;
  readonly mark: number | undefined;
}

export interface Egress {
  readonly isRight: boolean;
  /** For a person. */
  readonly text: string;
}

/** Never throws: what is wrong is in the answer. */
export function checkEgress(question: EgressQuestion, lookup: AddressLookup): Egress {
  // FreeBSD ties no socket to an interface, and what a packet filter sends elsewhere no table tells.
  if (layout.name !== "linux" && question.interface !== undefined) {
    return { isRight: true, text: `not checked on this system: ${question.interface} by source address alone` };
  }
  try {
    const source = formatAddress(sourceFor(question));
    if (isGuess(question, source, lookup)) return { isRight: false, text: noWay(question.interface, question.remote) };
    const owner = Object.entries(lookup()).find(([, entries]) =>
      entries?.some(({ address }) => address === source),
    )?.[0];
    return judge(source, owner, question.interface);
  } catch (error) {
    return { isRight: false, text: error instanceof Error ? error.message : String(error) };
  }
}

/** @param owner the interface that has the source address */
export function judge(source: string, owner: string | undefined, wanted: string | undefined): Egress {
  if (wanted === undefined) return { isRight: true, text: `leaves by ${owner ?? "an interface"} with ${source}` };
  if (owner === wanted) return { isRight: true, text: `leaves by ${wanted} with ${source}` };
  const whose = owner === undefined ? "no interface" : owner;
  return {
    isRight: false,
    text: `would leave by ${wanted} with ${source}, an address of ${whose}: answers would come back by another way`,
  };
}

/**
 * Linux takes an address that no route leads to for a neighbour at the interface a socket is bound to, and so tells no fault. It is
 * one unless there is a gateway, the interface has a default route without one (as point-to-point ones do), or they are neighbours.
 */
function isGuess({ remote, interface: name, mark }: EgressQuestion, source: string, lookup: AddressLookup): boolean {
  if (layout.name !== "linux" || name === undefined) return false;
  const family = familyOf(remote) === 6 ? 6 : 4;
  if (uplinks().some((uplink) => uplink.interface === name && uplink.families.includes(family))) return false;
  const isNeighbour = (lookup()[name] ?? []).some(({ cidr }) => cidr !== null && holds(cidr, remote));
  if (isNeighbour || Bun.which("ip") === null) return false;
  const marked = mark === undefined ? [] : ["mark", String(mark)];
  const question = ["ip", "-o", "route", "get", formatAddress(remote), "from", source, "oif", name, ...marked];
  const { exitCode, stdout } = Bun.spawnSync(question, { stderr: "ignore" });
  return exitCode === 0 && !/ via /.test(stdout.toString());
}

/** @param cidr like "192.0.2.1/24" */
function holds(cidr: string, address: Endpoint): boolean {
  const [text = "", bits] = cidr.split("/");
  const network = parseEndpoint(text.split("%")[0] ?? "");
  return network !== undefined && samePrefix(network, address, Number(bits));
}

/** @throws NetcombinerError when there is no way */
function sourceFor({ remote, interface: name, mark }: EgressQuestion): Endpoint {
  const system = systemSockets();
  const family = familyOf(remote) === 6 ? 6 : 4;
  const request = { family, local: createEndpoint(), interface: name, mark, buffers: 0 } as const;
  const socket = openSocket(system, system.layout.SOCK_DGRAM, IPPROTO.UDP, request);
  try {
    const target = remote.slice();
    // Connecting a UDP socket only chooses the route; any port will do.
    if (portOf(target) === 0) setPort(target, 9);
    const errno = connectTo(system, socket, target);
    if (errno !== 0) throw new NetcombinerError(noWay(name, remote), EXIT.UNAVAILABLE);
    const local = createEndpoint();
    readLocal(system, socket.fd, local);
    setPort(local, 0);
    return local;
  } finally {
    system.libc.close(socket.fd);
  }
}

function noWay(name: string | undefined, remote: Endpoint): string {
  const to = formatAddress(remote);
  if (name === undefined) return `no route to ${to}`;
  return `no route to ${to} by ${name}: it needs a default route of its own, with any metric`;
}
