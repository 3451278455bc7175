/** Parses the values of keys for the set-up of the host. Each parser says what it expects. */
import * as v from "valibot";
import { addressOf, createEndpoint, parseEndpoint } from "../endpoint.ts";
import { INTERFACE_NAME, listOf } from "./values.ts";

export type PortProtocol = "tcp" | "udp";

/** `last` is `first` for a single port. */
export interface PortRange {
  readonly protocol: PortProtocol;
  readonly first: number;
  readonly last: number;
}

/** Ports of this host whose connections are forwarded to another host. */
export interface Forward extends PortRange {
  readonly family: 4 | 6;
  readonly address: string;
  /** Port at the other host; undefined leaves it unchanged. */
  readonly port: number | undefined;
}

const MARK_MAX = 0xffff_ffff;

/** Parses a firewall mark, decimal or 0x; `off` is 0. */
export function mark() {
  const rule = "expected a number from 1 to 0xffffffff, or off";
  return v.pipe(
    v.string(),
    v.transform((text) => (text.toLowerCase() === "off" ? 0 : numberOf(text) || -1)),
    v.check((number) => number >= 0 && number <= MARK_MAX, rule),
  );
}

/** Parses a routing table. Tables 253 to 255 belong to the system (default, main, local). */
export function table() {
  return v.pipe(
    v.string(),
    v.transform((text): number | "auto" | "off" => {
      const word = text.toLowerCase();
      return word === "auto" || word === "off" ? word : (numberOf(text) ?? -1);
    }),
    v.check(
      (given) => typeof given === "string" || (given >= 1 && given <= 0x7fff_ffff && (given < 253 || given > 255)),
      "expected auto, off, or the number of a table, 1 to 0x7fffffff but not 253 to 255",
    ),
  );
}

function numberOf(text: string): number | undefined {
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
}

/** Parses commands, one a line. */
export function commands() {
  return listOf("\n", (text) => (text === "" ? undefined : text), "expected a command");
}

/** Parses names of interfaces. */
export function interfaceNames() {
  const parse = (text: string) => (INTERFACE_NAME.test(text) ? text : undefined);
  return listOf(",", parse, "expected interface names of 1 to 15 letters, digits and _.=+-");
}

/** Parses addresses without prefix length. */
export function hostAddresses() {
  return listOf(",", parseHostAddress, "expected an IPv4 or IPv6 address without prefix length");
}

function parseHostAddress(address: string) {
  const family = address.includes("%") ? undefined : familyOfText(address);
  return family && { family, address };
}

/** Parses networks like `192.168.1.0/24`, whose bits beyond the prefix are zero. */
export function networks() {
  return listOf(
    ",",
    parseNetwork,
    "expected a network with prefix length and zeros beyond it, like 192.168.1.0/24 or fd01::/64",
  );
}

function parseNetwork(text: string) {
  const [, address = "", length = ""] = /^([^/%]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = familyOfText(address);
  const prefix = Number(length);
  if (!family || prefix > (family === 4 ? 32 : 128) || !isNetwork(address, prefix)) return undefined;
  return { family, address, prefix };
}

function isNetwork(address: string, prefix: number): boolean {
  return addressOf(parseEndpoint(address) ?? createEndpoint()).every((byte, i) => {
    const free = 8 - Math.min(8, Math.max(0, prefix - 8 * i));
    return (byte & ((1 << free) - 1)) === 0;
  });
}

const PORTS = /^(tcp|udp)\/(\d{1,5})(?:-(\d{1,5}))?$/i;

/** Parses port ranges like `tcp/22, udp/5060-5070`. */
export function portRanges() {
  return listOf(
    ",",
    parsePorts,
    "expected tcp or udp with a port or a range from 1 to 65535, like tcp/22 or udp/5060-5070",
  );
}

function parsePorts(text: string): PortRange | undefined {
  const [, protocol = "", low = "", high = low] = PORTS.exec(text) ?? [];
  const [first, last] = [Number(low), Number(high)];
  if (protocol === "" || first < 1 || last > 65_535 || first > last) return undefined;
  return { protocol: protocol.toLowerCase() === "tcp" ? "tcp" : "udp", first, last };
}

/** Parses forwards like `tcp/443 -> 192.168.1.10` and `tcp/8443 -> [fd01::10]:443`. */
export function forwards() {
  const rule =
    "expected ports and an address, like tcp/443 -> 192.168.1.10 or tcp/8443 -> [fd01::10]:443, with a new port for a single one only";
  return listOf(",", parseForward, rule);
}

const TARGET = /^(?:\[([^\]]+)\]|([^:]+?)|([^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/;

function parseForward(text: string): Forward | undefined {
  const [, from = "", to = ""] = /^(\S+)\s*->\s*(\S+)$/.exec(text) ?? [];
  const ports = parsePorts(from);
  const [, inBrackets, four, six, digits] = TARGET.exec(to) ?? [];
  const target = parseHostAddress(inBrackets ?? four ?? six ?? "");
  const port = digits === undefined ? undefined : Number(digits);
  if (!ports || !target || port === 0 || (port ?? 0) > 65_535) return undefined;
  // A range cannot be mapped to one port.
  if (port !== undefined && ports.first !== ports.last) return undefined;
  return { ...ports, ...target, port };
}

function familyOfText(address: string): 4 | 6 | undefined {
  const endpoint = parseEndpoint(address);
  return endpoint && (endpoint[0] === 4 ? 4 : 6);
}
