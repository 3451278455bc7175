/** The keys of a configuration: from its sections or from the files they name, and whether they make a whole. */
import * as v from "valibot";
import { KeyPair } from "../security/x25519.ts";
import type { KeyMaterial } from "./configuration.ts";
import { type ConfigFault, invalidText } from "./fault.ts";
import type { HostSection, PeerSection } from "./schema.ts";
import type { Sections, TypedSection } from "./sections.ts";
import { cryptoKey } from "./values.ts";

/** A file as it was found. */
export interface FoundFile {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

/** What reading a file can fail with, for a person. */
export type FileReader = (path: string) => FoundFile | { readonly problem: string };

/** Permission bits that let anybody but the owner at a file. */
const OTHERS = 0o077;

export function isOpenToOthers(file: FoundFile): boolean {
  return (file.mode & OTHERS) !== 0;
}

export function showMode(mode: number): string {
  return `mode ${(mode & 0o7777).toString(8).padStart(4, "0")}`;
}

/** Adds to `faults` what is wrong; without security no key is needed, and none is used. */
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
  // A section that is wrong otherwise may be the one with the key.
  if (faults.length === before && known.length === 0) faults.push(...missingFaults(host, first, privateKey));
  faults.push(...peerFaults(peers, first, privateKey));
  return { privateKey, sharedKey, peerKey: first?.keys.PublicKey };
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

/** The key, or what is wrong with the file. */
function parseKeyFile(file: ReturnType<FileReader>, maker: "genkey" | "genpsk"): Uint8Array | string {
  if ("problem" in file) return file.problem;
  if (isOpenToOthers(file)) return `open to others (${showMode(file.mode)}), chmod 600 it`;
  const result = v.safeParse(cryptoKey(maker), file.text.trim());
  return result.success ? result.output : `the file: ${result.issues[0].message}`;
}

type Host = TypedSection<HostSection>;
type Peer = TypedSection<PeerSection>;

/** A private key and the peer's public one go together. */
function missingFaults(host: Host, first: Peer | undefined, privateKey: Uint8Array | undefined) {
  const faults: ConfigFault[] = [];
  if (first && !privateKey) {
    const rule =
      '"netcombiner genkey" makes one, and goes with the PublicKey of a Peer; PrivateKeyFile may name a file';
    faults.push({ line: host.line, text: `Host.PrivateKey missing: ${rule}` });
  } else if (privateKey && !first) {
    const rule = 'what "netcombiner pubkey" makes of the other portal\'s PrivateKey; once is enough';
    faults.push({ line: host.lines.get("PrivateKey") ?? host.line, text: `Peer.PublicKey missing: ${rule}` });
  }
  return faults;
}

/** A tunnel has one peer, whatever the number of its links, and it is somebody else. */
function peerFaults(peers: readonly Peer[], first: Peer | undefined, privateKey: Uint8Array | undefined) {
  const faults: ConfigFault[] = [];
  const known = first?.keys.PublicKey?.toBase64();
  for (const peer of peers) {
    const given = peer.keys.PublicKey?.toBase64();
    const line = peer.lines.get("PublicKey") ?? peer.line;
    const fault = (rule: string) =>
      faults.push({ line, text: invalidText(`${peer.place}.PublicKey`, rule, given ?? "") });
    if (given !== undefined && given !== known) fault(`${first?.place} has another, and all links lead to one portal`);
    else if (peer === first && privateKey && new KeyPair(privateKey).publicKey.toBase64() === given) {
      fault("it is this portal's own");
    }
  }
  return faults;
}
