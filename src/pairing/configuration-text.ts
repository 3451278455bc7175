/** The configuration files that `init` and `join` write: for people to read and to change. */
import { DEFAULT_PORT } from "../config/defaults.ts";
import { formatAddress } from "../endpoint.ts";
import { KeyPair } from "../security/x25519.ts";
import type { NewPairing } from "./remote.ts";
import { localAddress, type Pairing, type TunnelAddress } from "./token.ts";

/** A link of the local portal: an interface, and which of the remote portal's addresses it takes. */
export interface PairedLink {
  readonly interface: string;
  readonly host: string;
}

export function remoteConfiguration(name: string, { pairing, privateKey }: NewPairing): string {
  const { port } = pairing;
  return `${head("The remote portal, the end that waits for the links.", "init", name)}
[Host]
# What "netcombiner up" makes of this host: the local portal, and what is behind it, reach the Internet by it (NAT).
Role = remote
# A port of this host that goes on to one behind the local portal:
#Forward = tcp/443 -> 192.168.1.10

${keys(privateKey, pairing)}

${tunnel(pairing, pairing.addresses)}

# All links of the local portal come in here, on UDP port ${port}, which the firewall has to let in.
[Peer]
Name = links
# The local portal's.
PublicKey = ${new KeyPair(pairing.privateKey).publicKey.toBase64()}
${port === DEFAULT_PORT ? "#" : ""}LocalPort = ${port}

# A second way in, for links where UDP is blocked; let TCP port ${port} in too. At the local portal such a link has
# "Method = TCP".
#[Peer]
#Name = tcp
#Method = TCP
#LocalPort = ${port}
`;
}

/** @param lan interfaces whose hosts use the tunnel; this host itself without any */
export function localConfiguration(
  name: string,
  pairing: Pairing,
  links: readonly PairedLink[],
  lan: readonly string[],
): string {
  const sections = links.map((link, i) => linkSection(link, pairing, i === 0));
  return `${head("The local portal, the end with the links.", "join", name)}
[Host]
# What "netcombiner up" makes of this host: it sends its own traffic through the tunnel, or that of the hosts at
# LanInterface. Without a Role, routes are up to you.
Role = local
${lan.length > 0 ? `LanInterface = ${lan.join(", ")}` : "#LanInterface = lan0"}

${keys(pairing.privateKey, pairing)}

${tunnel(pairing, pairing.addresses.map(localAddress))}

# One section for each link. A link is used only when none with a lower Metric is up: give the one that costs by the gigabyte
# "Metric = 10" to keep it in reserve, and "Metered = yes" to have nothing sent by it beyond need.
${sections.join("\n")}`;
}

function head(what: string, command: string, name: string): string {
  return `# ${what} Written by "netcombiner ${command}", and yours to change:
#
#     netcombiner check ${name}      is it right?
#     netcombiner reload ${name}     the running tunnel reads it again
#     netcombiner show ${name}       how is it doing?
#
# Every other key, with its default, is in the example configuration (netcombiner.conf.example).
`;
}

function keys(privateKey: Uint8Array, { sharedKey }: Pairing): string {
  return [
    "# This portal's own key. Whoever has it can take its place; this file is for root alone.",
    `PrivateKey = ${privateKey.toBase64()}`,
    ...(sharedKey ? [`SharedKey = ${sharedKey.toBase64()}`] : []),
  ].join("\n");
}

function tunnel({ mtu }: Pairing, addresses: readonly TunnelAddress[]): string {
  const own = addresses.map(({ address, prefix }) => `Address = ${formatAddress(address)}/${prefix}`);
  return [
    "# This end's addresses in the tunnel.",
    ...own,
    ...(mtu > 0 ? ["# Largest packet in the tunnel, the same at both portals.", `MTU = ${mtu}`] : []),
  ].join("\n");
}

function linkSection(link: PairedLink, { port, publicKey }: Pairing, isFirst: boolean): string {
  const key = ["# The remote portal's; once is enough for all links.", `PublicKey = ${publicKey.toBase64()}`];
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
