/** Collects the secrets and public keys of a configuration, from its sections or the files they name, and checks that they belong together. */
import * as v from "valibot";
import { KeyPair } from "../security/x25519.ts";
import type { KeyMaterial } from "./configuration.ts";
import { type ConfigFault, invalidText } from "./fault.ts";
import type { HostSection, PeerSection } from "./schema.ts";
import type { Sections, TypedSection } from "./sections.ts";
import { AWAITED_KEY, cryptoKey } from "./values.ts";

/** Text and permissions of a file. */
export interface FoundFile {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

/** Reads a file, or returns the reason why it cannot be read. */
export type FileReader = (path: string) => FoundFile | { readonly problem: string };

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

export function isOpenToOthers(file: FoundFile): boolean {
  return (file.mode & OTHERS) !== 0;
}

export function showMode(mode: number): string {
  return `mode ${(mode & 0o7777).toString(8).padStart(4, "0")}`;
}

/** Returns the keys and adds what is wrong to `faults`. Without security no key is needed, and none is used. */
export function collectKeyMaterial(
  { host, peers, faults: known }: Sections,
  readKey: FileReader,
  faults: ConfigFault[],
): KeyMaterial {
  if (!host || host.keys.Security === "none") return {};
  const before = faults.length;
  const privateKey = host.keys.PrivateKey ?? readFile(host, "PrivateKeyFile", readKey, faults);
  const sharedKey = host.keys.SharedKey ?? readFile(host, "SharedKeyFile", readKey, faults);
  const first = peers.find((peer) => peer.keys.PublicKey !== undefined);
  // A section with another fault is not among the peers, but may hold the key.
  if (faults.length === before && known.length === 0) faults.push(...missingFaults(host, peers, first, privateKey));
  faults.push(...peerFaults(peers, first, privateKey));
  const peerKey = first?.keys.PublicKey;
  const awaitsPeer = peerKey === AWAITED_KEY;
  return { privateKey, sharedKey, ...(awaitsPeer ? { awaitsPeer } : { peerKey }) };
}

function readFile(
  host: TypedSection<HostSection>,
  name: "PrivateKeyFile" | "SharedKeyFile",
  readKey: FileReader,
  faults: ConfigFault[],
): Uint8Array | undefined {
  const path = host.keys[name];
  if (path === undefined) return undefined;
  const result = parseKeyFile(readKey(path), name === "PrivateKeyFile" ? "genkey" : "genpsk");
  if (typeof result !== "string") return result;
  faults.push({ line: host.lines.get(name) ?? host.line, text: invalidText(`Host.${name}`, result, path) });
  return undefined;
}

/** Returns the key, or the fault of the file. */
function parseKeyFile(file: ReturnType<FileReader>, maker: "genkey" | "genpsk"): Uint8Array | string {
  if ("problem" in file) return file.problem;
  if (isOpenToOthers(file)) return `open to others (${showMode(file.mode)}), chmod 600 the file`;
  const result = v.safeParse(cryptoKey(maker), file.text.trim());
  return result.success ? result.output : `content of the file: ${result.issues[0].message}`;
}

type Host = TypedSection<HostSection>;
type Peer = TypedSection<PeerSection>;

/** Returns a fault if there is a private key without the peer's public key, or the reverse. */
function missingFaults(
  host: Host,
  peers: readonly Peer[],
  first: Peer | undefined,
  privateKey: Uint8Array | undefined,
) {
  const faults: ConfigFault[] = [];
  if (first && !privateKey) {
    const rule = `needed with the PublicKey of ${first.place}, make one with "netcombiner genkey", or name its file in PrivateKeyFile`;
    faults.push({ line: host.line, text: `Host.PrivateKey missing: ${rule}` });
  } else if (privateKey && !first) {
    const rule = `needed in one [Peer] with a PrivateKey, "netcombiner pubkey" makes it from the other portal's PrivateKey`;
    faults.push({
      line: peers[0]?.line ?? host.line,
      text: `${peers[0]?.place ?? "Peer[0]"}.PublicKey missing: ${rule}`,
    });
  }
  return faults;
}

/** Returns faults of public keys: all links of a tunnel have the same peer, which is another portal. */
function peerFaults(peers: readonly Peer[], first: Peer | undefined, privateKey: Uint8Array | undefined) {
  const faults: ConfigFault[] = [];
  const known = first?.keys.PublicKey?.toBase64();
  for (const peer of peers) {
    const given = peer.keys.PublicKey?.toBase64();
    const line = peer.lines.get("PublicKey") ?? peer.line;
    const fault = (rule: string) =>
      faults.push({ line, text: invalidText(`${peer.place}.PublicKey`, rule, given ?? "") });
    if (given !== undefined && given !== known)
      fault(`must be that of ${first?.place}, since all links lead to one portal`);
    else if (peer === first && privateKey && new KeyPair(privateKey).publicKey.toBase64() === given) {
      fault("must be the other portal's, but belongs to the PrivateKey of this one");
    }
  }
  return faults;
}
