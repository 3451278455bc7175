/**
 * Addresses for one attempt of a link: names and interface addresses are looked up anew each time, because both change
 * under a running tunnel (DHCP, a modem plugged in again, a portal that moved).
 */
import {
  addressOf,
  createEndpoint,
  type Endpoint,
  familyOf,
  parseEndpoint,
  sameAddress,
  setPort,
} from "../endpoint.ts";
import type { LinkSettings, LinkTransport } from "../portal/settings.ts";

/** Turns names into addresses; tests bring their own. */
export interface Lookups {
  /** Looks up the addresses of a host name, in the order of preference. Rejects when there are none. */
  host(name: string): Promise<readonly string[]>;
  /** Returns the addresses of an interface in the order of preference. Throws when it does not exist or has none. */
  interfaceAddresses(name: string): readonly Endpoint[];
  /** Returns the index of an interface, 0 if it does not exist. */
  interfaceIndex(name: string): number;
  /** True if sockets are bound to interfaces by name; otherwise only an address ties them to one. */
  readonly bindsToInterfaces: boolean;
  /** Time a lookup may take, milliseconds. */
  readonly timeout: number;
}

export type Resolution = { readonly remote: Endpoint; readonly local: Endpoint } | { readonly reason: string };

/**
 * Never rejects. `attempt` goes round the addresses of a name, so that one which does not answer is not tried for ever.
 * A link that listens has no remote end: family 0.
 */
export async function resolveLink(
  transport: LinkTransport,
  role: LinkSettings["role"],
  attempt: number,
  lookups: Lookups,
): Promise<Resolution> {
  try {
    const locals = await localAddresses(transport, role, lookups);
    if (role === "listen") return withPorts(transport, createEndpoint(), locals?.[0] ?? createEndpoint());
    const remotes = await hostAddresses(transport.remoteHost ?? "", lookups);
    const pairs = remotes.flatMap((remote) => pairWith(remote, locals));
    const pair = pairs[attempt % pairs.length];
    if (!pair) return { reason: mismatch(transport, remotes, locals ?? []) };
    return withPorts(transport, ...pair);
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns the addresses the link may leave from, the best first; undefined if any will do. */
async function localAddresses(transport: LinkTransport, role: LinkSettings["role"], lookups: Lookups) {
  const { localHost, localInterface } = transport;
  const own = localInterface === undefined ? undefined : lookups.interfaceAddresses(localInterface);
  if (localHost === undefined) {
    const isBoundByName = role === "listen" && lookups.bindsToInterfaces;
    return isBoundByName ? undefined : own?.toSorted((a, b) => scopeRank(a) - scopeRank(b));
  }
  const wanted = await hostAddresses(localHost, lookups);
  if (!own) return wanted;
  const both = wanted.filter((address) => own.some((candidate) => sameAddress(candidate, address)));
  if (both.length === 0) throw new Error(`interface ${localInterface} does not have the address ${localHost}`);
  return both;
}

/** Looks up a name; returns an address as it is, with `%interface` made a number. */
async function hostAddresses(host: string, lookups: Lookups): Promise<Endpoint[]> {
  const [address = "", scope] = host.split("%");
  if (scope !== undefined && !/^\d+$/.test(scope)) {
    const index = lookups.interfaceIndex(scope);
    if (index === 0) throw new Error(`interface ${scope} does not exist`);
    return parsed([`${address}%${index}`]);
  }
  const literal = parseEndpoint(host);
  if (literal) return [literal];
  const addresses = parsed(await withTimeout(lookups.host(host), host, lookups.timeout));
  if (addresses.length === 0) throw new Error(`${host} has no address`);
  return addresses;
}

function parsed(texts: readonly string[]): Endpoint[] {
  return texts.map((text) => parseEndpoint(text)).filter((endpoint) => endpoint !== undefined);
}

async function withTimeout(lookup: Promise<readonly string[]>, host: string, milliseconds: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([lookup, timeout]);
  } catch (error) {
    throw new Error(`${host} cannot be looked up: ${lookupProblem(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const LOOKUP_PROBLEMS: Record<string, string> = {
  ENOTFOUND: "no such name",
  DNS_ENOTFOUND: "no such name",
  ENODATA: "it has no address",
  EAI_AGAIN: "no name server answers",
  ETIMEOUT: "no name server answers",
  DNS_ETIMEOUT: "no name server answers",
  ECONNREFUSED: "no name server answers",
  DNS_ECONNREFUSED: "no name server answers",
};

function lookupProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return LOOKUP_PROBLEMS[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Returns the remote address with the best local one that can reach it: family 0 if any will do, no pair if none can. */
function pairWith(remote: Endpoint, locals: readonly Endpoint[] | undefined): [Endpoint, Endpoint][] {
  if (!locals) return [[remote, createEndpoint()]];
  const same = locals.filter((local) => familyOf(local) === familyOf(remote));
  const needsLinkLocal = scopeRank(remote) > 0;
  const local = same.find((candidate) => scopeRank(candidate) > 0 === needsLinkLocal) ?? same[0];
  return local ? [[remote, local]] : [];
}

function mismatch(transport: LinkTransport, remotes: readonly Endpoint[], locals: readonly Endpoint[]): string {
  const here = transport.localHost ?? `interface ${transport.localInterface}`;
  return `${transport.remoteHost} has only ${families(remotes)} addresses and ${here} only ${families(locals)}`;
}

function families(endpoints: readonly Endpoint[]): string {
  return [...new Set(endpoints.map((endpoint) => `IPv${familyOf(endpoint)}`))].sort().join(" and ");
}

/** Returns 1 for link-local addresses (169.254/16, fe80::/10), which reach nothing beyond their link, and 0 for others. */
function scopeRank(endpoint: Endpoint): number {
  const [a = 0, b = 0] = addressOf(endpoint);
  if (familyOf(endpoint) === 4) return a === 169 && b === 254 ? 1 : 0;
  return a === 0xfe && (b & 0xc0) === 0x80 ? 1 : 0;
}

function withPorts(transport: LinkTransport, remoteAddress: Endpoint, localAddress: Endpoint): Resolution {
  const [remote, local] = [remoteAddress.slice(), localAddress.slice()];
  if (familyOf(remote) !== 0) setPort(remote, transport.remotePort);
  setPort(local, transport.localPort);
  return { remote, local };
}
