/** Asks the kernel by which interface, and with which source address, packets of a link leave this host. Sends nothing. */
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

/** A socket whose route to `remote` is wanted. */
export interface EgressQuestion {
  readonly remote: Endpoint;
  /** The interface that the link is bound to; undefined leaves the choice to the routing table. */
  readonly interface: string | undefined;
  readonly mark: number | undefined;
}

export interface Egress {
  readonly isRight: boolean;
  /** Describes the route, or the fault, to the user. */
  readonly text: string;
}

/** Returns the route and whether it is the wanted one. Never throws: a fault is part of the result. */
export function checkEgress(question: EgressQuestion, lookup: AddressLookup): Egress {
  // FreeBSD binds no socket to an interface, and pf may send packets elsewhere than the routing table says.
  if (layout.name !== "linux" && question.interface !== undefined) {
    return { isRight: true, text: `not checked on this system: ${question.interface} by source address alone` };
  }
  try {
    const source = formatAddress(sourceFor(question));
    if (isGuess(question, source, lookup))
      return { isRight: false, text: noRoute(question.interface, question.remote) };
    const owner = Object.entries(lookup()).find(([, entries]) =>
      entries?.some(({ address }) => address === source),
    )?.[0];
    return judge(source, owner, question.interface);
  } catch (error) {
    return { isRight: false, text: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns whether packets from `source` leave by the wanted interface. @param owner the interface that has this address */
export function judge(source: string, owner: string | undefined, wanted: string | undefined): Egress {
  if (wanted === undefined) return { isRight: true, text: `leaves by ${owner ?? "an interface"} with ${source}` };
  if (owner === wanted) return { isRight: true, text: `leaves by ${wanted} with ${source}` };
  const whose = owner === undefined ? "no interface" : owner;
  return {
    isRight: false,
    text: `would leave by ${wanted} with ${source}, an address of ${whose}: answers would come back by another link`,
  };
}

/**
 * True if Linux only assumes that `remote` can be reached: it takes an address without a route for a neighbour on the interface a
 * socket is bound to. The route is real if it has a gateway, the interface has a default route, or `remote` is in its subnet.
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

/** True if the address lies in the network. @param cidr like "192.0.2.1/24" */
function holds(cidr: string, address: Endpoint): boolean {
  const [text = "", bits] = cidr.split("/");
  const network = parseEndpoint(text.split("%")[0] ?? "");
  return network !== undefined && samePrefix(network, address, Number(bits));
}

/** Returns the source address the kernel chooses. @throws NetcombinerError if there is no route */
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
    if (errno !== 0) throw new NetcombinerError(noRoute(name, remote), EXIT.UNAVAILABLE);
    const local = createEndpoint();
    readLocal(system, socket.fd, local);
    setPort(local, 0);
    return local;
  } finally {
    system.libc.close(socket.fd);
  }
}

function noRoute(name: string | undefined, remote: Endpoint): string {
  const to = formatAddress(remote);
  if (name === undefined) return `no route to ${to}`;
  return `no route to ${to} by ${name}: add a default route to this interface, with any metric`;
}
