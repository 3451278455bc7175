/** The configuration files that `init` and `join` write: for people to read and to change. */
import { DEFAULT_PORT } from "../config/defaults.ts";
import { formatAddress } from "../endpoint.ts";
import { localAddress, type Pairing, type TunnelAddress } from "./token.ts";

/** A link of the local portal: an interface, and which of the remote portal's addresses it takes. */
export interface PairedLink {
  readonly interface: string;
  readonly host: string;
}

export function remoteConfiguration(name: string, pairing: Pairing): string {
  return `${head("The remote portal, the end that waits for the links.", "init", name)}
[Host]
${secret(pairing)}
${tunnel(pairing, pairing.addresses)}

# All links of the local portal come in here, on UDP port ${pairing.port}, which the firewall has to let in.
[Peer]
Name = links
${pairing.port === DEFAULT_PORT ? "#" : ""}LocalPort = ${pairing.port}

# A second way in, for links where UDP is blocked; let TCP port ${pairing.port} in too. At the local portal such a link has
# "Method = TCP".
#[Peer]
#Name = tcp
#Method = TCP
#LocalPort = ${pairing.port}
`;
}

export function localConfiguration(name: string, pairing: Pairing, links: readonly PairedLink[]): string {
  const addresses = pairing.addresses.map(localAddress);
  return `${head("The local portal, the end with the links.", "join", name)}
[Host]
${secret(pairing)}
${tunnel(pairing, addresses)}

# One section for each link. A link is used only when none with a lower Metric is up: give the one that costs by the gigabyte
# "Metric = 10" to keep it in reserve.
${links.map((link) => linkSection(link, pairing.port)).join("\n")}`;
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

function secret({ sharedKey }: Pairing): string {
  return `# The secret that both portals share. Whoever has it can join; this file is for root alone.
SharedKey = ${Buffer.from(sharedKey).toString("base64")}`;
}

function tunnel({ mtu }: Pairing, addresses: readonly TunnelAddress[]): string {
  const own = addresses.map(({ address, prefix }) => `Address = ${formatAddress(address)}/${prefix}`);
  return [
    "# This end's addresses in the tunnel.",
    ...own,
    ...(mtu > 0 ? ["# Largest packet in the tunnel, the same at both portals.", `MTU = ${mtu}`] : []),
  ].join("\n");
}

function linkSection(link: PairedLink, port: number): string {
  return `[Peer]
Name = ${link.interface}
LocalInterface = ${link.interface}
RemoteHost = ${link.host}
${port === DEFAULT_PORT ? "" : `RemotePort = ${port}\n`}`;
}
