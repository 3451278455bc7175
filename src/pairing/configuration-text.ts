/** Writes the text of the configuration files that `init` and `join` make, which users may edit. */
import { DEFAULT_PORT } from "../config/defaults.ts";
import { formatAddress } from "../endpoint.ts";
import type { PrefixedAddress } from "../host/host.ts";
import type { NewPairing } from "./remote.ts";
import { localAddress, type Pairing } from "./token.ts";

/** A link of the local portal: an interface, and the address of the remote portal that it connects to. */
export interface PairedLink {
  readonly interface: string;
  readonly host: string;
}

export function remoteConfiguration(name: string, { pairing, privateKey }: NewPairing): string {
  const { port } = pairing;
  return `${head("The remote portal: it accepts the links.", "init", name)}
[Host]
# "netcombiner up" sets this host up as the remote portal: the local portal, and hosts behind it, reach the Internet by it (NAT).
Role = remote
# Forwards a port of this host to one behind the local portal, whose file needs the same line:
#Forward = tcp/443 -> 192.168.1.10

${keys(privateKey)}

${tunnel(pairing, pairing.addresses)}

# Accepts all links of the local portal on UDP port ${port}; the firewall has to let it in.
[Peer]
Name = links
# The local portal's public key. "join" waits for "netcombiner join" with the token there, and is replaced then.
PublicKey = join
${port === DEFAULT_PORT ? "#" : ""}LocalPort = ${port}

# Accepts TCP too, for links where UDP is blocked; let TCP port ${port} in as well. At the local portal such a link has
# "Method = TCP".
#[Peer]
#Name = tcp
#Method = TCP
#LocalPort = ${port}
`;
}

/** The keys of the local portal. */
export interface OwnKeys {
  readonly privateKey: Uint8Array;
  /** Shared with the remote portal besides the key pairs; undefined for none. */
  readonly sharedKey?: Uint8Array | undefined;
}

/** Returns the local portal's file. @param lan interfaces whose hosts use the tunnel; with none, this host itself uses it */
export function localConfiguration(
  name: string,
  pairing: Pairing,
  own: OwnKeys,
  links: readonly PairedLink[],
  lan: readonly string[],
): string {
  const sections = links.map((link, i) => linkSection(link, pairing, i === 0));
  return `${head("The local portal: it has the links.", "join", name)}
[Host]
# "netcombiner up" sets this host up as the local portal: its own traffic uses the tunnel, or that of the hosts at
# LanInterface. Without a Role, routes are up to you.
Role = local
${lan.length > 0 ? `LanInterface = ${lan.join(", ")}` : "#LanInterface = lan0"}

${keys(own.privateKey, own.sharedKey)}

${tunnel(pairing, pairing.addresses.map(localAddress))}

# One section for each link. A link is used only while none with a lower Metric is up. For a link that costs by the gigabyte,
# "Metric = 10" keeps it in reserve, and "Metered = yes" avoids all traffic that is not needed.
${sections.join("\n")}`;
}

function head(what: string, command: string, name: string): string {
  return `# ${what} Written by "netcombiner ${command}"; edit it as you like:
#
#     netcombiner check ${name}      checks it
#     netcombiner reload ${name}     makes the running tunnel read it again
#     netcombiner show ${name}       shows the tunnel's state
#
# Every other key, with its default, is in the example configuration (netcombiner.conf.example).
`;
}

function keys(privateKey: Uint8Array, sharedKey?: Uint8Array): string {
  return [
    "# This portal's private key. Whoever has it can impersonate this portal; this file is for root alone.",
    `PrivateKey = ${privateKey.toBase64()}`,
    ...(sharedKey ? [`SharedKey = ${sharedKey.toBase64()}`] : []),
  ].join("\n");
}

function tunnel({ mtu }: Pairing, addresses: readonly PrefixedAddress[]): string {
  const own = addresses.map(({ address, prefix }) => `Address = ${formatAddress(address)}/${prefix}`);
  return [
    "# This portal's addresses in the tunnel.",
    ...own,
    ...(mtu > 0 ? ["# Largest packet in the tunnel, the same at both portals.", `MTU = ${mtu}`] : []),
  ].join("\n");
}

function linkSection(link: PairedLink, { port, publicKey }: Pairing, isFirst: boolean): string {
  const key = ["# The remote portal's key; once is enough for all links.", `PublicKey = ${publicKey.toBase64()}`];
  const lines = [
    "[Peer]",
    `Name = ${link.interface}`,
    ...(isFirst ? key : []),
    `LocalInterface = ${link.interface}`,
    `RemoteHost = ${link.host}`,
    ...(port === DEFAULT_PORT ? [] : [`RemotePort = ${port}`]),
  ];
  return `${lines.join("\n")}\n`;
}
