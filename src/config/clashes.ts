/** Checks `[Peer]` sections against each other: equal names, and links that need the same local port. */
import { parseEndpoint, sameAddress } from "../endpoint.ts";
import { DEFAULT_METHOD, DEFAULT_PORT, DEFAULT_PROTOCOL } from "./defaults.ts";
import { type ConfigFault, invalidText } from "./fault.ts";
import type { PeerSection } from "./schema.ts";
import type { TypedSection } from "./sections.ts";

type Peer = TypedSection<PeerSection>;

export function clashFaults(peers: readonly Peer[]): ConfigFault[] {
  return peers.flatMap((peer, i) => {
    const earlier = peers.slice(0, i);
    return [nameClash(peer, earlier), portClash(peer, earlier)].filter((fault) => fault !== undefined);
  });
}

function nameClash(peer: Peer, earlier: readonly Peer[]): ConfigFault | undefined {
  const { Name: name } = peer.keys;
  const other = name === undefined ? undefined : earlier.find((candidate) => candidate.keys.Name === name);
  if (name === undefined || !other) return undefined;
  return {
    line: lineOf(peer, "Name"),
    text: invalidText(`${peer.place}.Name`, `must be unique, but ${other.place} has the same`, name),
  };
}

function portClash(peer: Peer, earlier: readonly Peer[]): ConfigFault | undefined {
  const binding = bindingOf(peer.keys);
  const other = binding && earlier.find((candidate) => clashes(binding, bindingOf(candidate.keys)));
  if (!other) return undefined;
  const key = binding.method === "IP" ? "Protocol" : "LocalPort";
  const line = lineOf(peer, key);
  const rule = `must differ from ${key} of ${other.place}, which listens on the same address`;
  return { line, text: invalidText(`${peer.place}.${key}`, rule, String(binding.number)) };
}

function lineOf(peer: Peer, key: string): number {
  return peer.lines.get(key) ?? peer.line;
}

interface Binding {
  readonly method: string;
  /** Port, or protocol number. */
  readonly number: number;
  readonly host: string | undefined;
  readonly device: string | undefined;
}

/** Returns the port or protocol that a link occupies; undefined when the kernel chooses, or when sockets can share it. */
function bindingOf(peer: PeerSection): Binding | undefined {
  const method = peer.Method ?? DEFAULT_METHOD;
  const listens = peer.RemoteHost === undefined;
  const place = { host: peer.LocalHost, device: peer.LocalInterface };
  if (method === "IP") return listens ? { method, number: peer.Protocol ?? DEFAULT_PROTOCOL, ...place } : undefined;
  const port = peer.LocalPort ?? (listens ? DEFAULT_PORT : 0);
  return port === 0 ? undefined : { method, number: port, ...place };
}

/** True if bind() refuses the second socket: those bound to different devices or addresses do not conflict. */
function clashes(a: Binding, b: Binding | undefined): boolean {
  if (!b || a.method !== b.method || a.number !== b.number) return false;
  if (a.device !== undefined && b.device !== undefined && a.device !== b.device) return false;
  return isAny(a.host) || isAny(b.host) || sameHost(a.host as string, b.host as string);
}

function isAny(host: string | undefined): boolean {
  return host === undefined || host === "0.0.0.0" || host === "::";
}

function sameHost(a: string, b: string): boolean {
  const [one, other] = [parseEndpoint(a), parseEndpoint(b)];
  return one && other ? sameAddress(one, other) : a.toLowerCase() === b.toLowerCase();
}
