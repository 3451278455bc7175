/**
 * Changes interfaces and their addresses on Linux by rtnetlink (include/uapi/linux/{netlink,rtnetlink,if_link,if_addr}.h), without the
 * `ip` command. Every request asks for an acknowledgement and throws what the kernel answers.
 */
import { addressOf, type Endpoint, familyOf } from "../../src/endpoint.ts";
import { LINUX_ERRNO, systemError } from "../errno.ts";
import { cString, type Libc, pointerTo } from "../libc.ts";
import { LINUX } from "./constants.ts";

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const NLMSG_ERROR = 2;
const NLM_F = { REQUEST: 1, ACK: 4, REPLACE: 0x100, CREATE: 0x400 } as const;
const RTM = { NEWLINK: 16, DELLINK: 17, NEWADDR: 20, DELADDR: 21 } as const;
const IFLA = { ADDRESS: 1, MTU: 4, TXQLEN: 13 } as const;
const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const IFA_F_NODAD = 2;
const IFF_UP = 1;
const HEADER = 16;

/** The properties of an interface to change; those left out stay. */
export interface InterfaceChange {
  /** Bytes. */
  readonly mtu?: number;
  /** Packets in the transmit queue. */
  readonly txQueueLength?: number;
  readonly isUp?: boolean;
  /** Hardware address, 6 bytes. */
  readonly mac?: Uint8Array;
}

/** Returns the kernel's number of the interface, 0 if there is none of that name. */
export function interfaceIndex(libc: Libc, name: string): number {
  const bytes = cString(name);
  return libc.if_nametoindex(pointerTo(bytes));
}

export function changeLink(libc: Libc, name: string, change: InterfaceChange): void {
  const flags = change.isUp === undefined ? 0 : IFF_UP;
  const attributes = [
    ...(change.mtu === undefined ? [] : [attribute(IFLA.MTU, uint32(change.mtu))]),
    ...(change.txQueueLength === undefined ? [] : [attribute(IFLA.TXQLEN, uint32(change.txQueueLength))]),
    ...(change.mac === undefined ? [] : [attribute(IFLA.ADDRESS, change.mac)]),
  ];
  const body = linkHeader(existing(libc, name), change.isUp ? IFF_UP : 0, flags);
  request(libc, `cannot configure ${name}`, RTM.NEWLINK, 0, [body, ...attributes]);
}

/** Adds or replaces an address. IPv6 is usable at once: without duplicate address detection. */
export function addAddress(libc: Libc, name: string, address: Endpoint, prefix: number): void {
  const what = `cannot add an address to ${name}`;
  request(libc, what, RTM.NEWADDR, NLM_F.CREATE | NLM_F.REPLACE, addressBody(libc, name, address, prefix));
}

export function removeAddress(libc: Libc, name: string, address: Endpoint, prefix: number): void {
  request(libc, `cannot remove an address of ${name}`, RTM.DELADDR, 0, addressBody(libc, name, address, prefix));
}

/** Deletes the interface, even while a process has it open. */
export function deleteLink(libc: Libc, name: string): void {
  request(libc, `cannot delete ${name}`, RTM.DELLINK, 0, [linkHeader(existing(libc, name), 0, 0)]);
}

function existing(libc: Libc, name: string): number {
  const index = interfaceIndex(libc, name);
  if (index === 0) throw systemError(`interface ${name} does not exist`, LINUX_ERRNO.ENODEV, LINUX_ERRNO);
  return index;
}

/** Returns a struct ifinfomsg. */
function linkHeader(index: number, flags: number, changed: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, changed, true);
  return new Uint8Array(view.buffer);
}

/** Returns a struct ifaddrmsg and its attributes. */
function addressBody(libc: Libc, name: string, address: Endpoint, prefix: number): Uint8Array[] {
  const isIpv6 = familyOf(address) === 6;
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, isIpv6 ? LINUX.AF_INET6 : LINUX.AF_INET);
  view.setUint8(1, prefix);
  view.setUint8(2, isIpv6 ? IFA_F_NODAD : 0);
  view.setUint32(4, existing(libc, name), true);
  const bytes = addressOf(address);
  const attributes = [attribute(IFA.LOCAL, bytes), attribute(IFA.ADDRESS, bytes)];
  if (isIpv6) attributes.push(attribute(IFA.FLAGS, uint32(IFA_F_NODAD)));
  return [new Uint8Array(view.buffer), ...attributes];
}

/** Returns a struct rtattr with its data, padded to 4 bytes. */
function attribute(type: number, value: Uint8Array): Uint8Array {
  const out = new Uint8Array((4 + value.length + 3) & ~3);
  const view = new DataView(out.buffer);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  out.set(value, 4);
  return out;
}

function uint32(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}

function request(libc: Libc, what: string, type: number, flags: number, parts: readonly Uint8Array[]): void {
  const size = parts.reduce((sum, part) => sum + part.length, HEADER);
  const message = new Uint8Array(new ArrayBuffer(size));
  const view = new DataView(message.buffer);
  view.setUint32(0, size, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | NLM_F.REQUEST | NLM_F.ACK, true);
  view.setUint32(8, 1, true);
  let at = HEADER;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  const errno = exchange(libc, message);
  if (errno !== 0) throw systemError(what, errno, LINUX_ERRNO);
}

/** Sends one request and waits for its answer, which the kernel has ready at once. @returns errno, 0 for success */
function exchange(libc: Libc, message: Uint8Array): number {
  const fd = libc.socket(AF_NETLINK, LINUX.SOCK_RAW | LINUX.SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return libc.errno();
  const answer = new DataView(new ArrayBuffer(4096));
  const address = pointerTo(message);
  let errno = 0;
  let received = -1;
  if (libc.send(fd, address, message.length, 0) >= 0) received = libc.recv(fd, pointerTo(answer), 4096, 0);
  if (received < 0) errno = libc.errno();
  else if (received >= HEADER + 4 && answer.getUint16(4, true) === NLMSG_ERROR) errno = -answer.getInt32(HEADER, true);
  else errno = LINUX_ERRNO.EIO;
  libc.close(fd);
  return errno;
}
