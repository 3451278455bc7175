/** Checks links: is each one up, and does it stay up? */
import { MICROS_PER_SECOND } from "../../clock.ts";
import type { LinkSnapshot } from "../../portal/snapshot.ts";
import type { Check, Finding } from "../finding.ts";
import { formatAge, formatCount, formatSeconds } from "../units.ts";

/** Number of times per hour from which on a link that comes up is flapping. */
const UPS_PER_HOUR = 6;
const UPS_MIN = 4;
/** Age below which a link that is down is no finding yet, seconds: an attempt takes about three. */
const GRACE_SECONDS = 10;

/** Advice by the reason of a link; the first that fits. */
const HINTS: readonly (readonly [start: RegExp, advice: string])[] = [
  [
    /^no answer from the peer/,
    "check that the remote portal runs, that its firewall admits the port and that the keys of both belong together; see its own netcombiner show",
  ],
  [/^interface \S+ (has no address|does not exist)/, "plug it in, or wait for DHCP; the link is tried again by itself"],
  [/cannot be looked up|no name server/, "check RemoteHost and the resolver, or give an address instead of a name"],
  [/EADDRINUSE/, "another program has this port; choose another LocalPort"],
  [/EPERM|EACCES/, "run netcombiner as root"],
  [/ENETUNREACH|EHOSTUNREACH|ENETDOWN/, "this host has no route by that interface; check the link's own default route"],
  [/ECONNREFUSED/, "nobody listens there; check Method, RemoteHost and RemotePort against the remote portal"],
  [/^path suspect/, "the peer stopped answering; the link is tried again all the time"],
  [/^peer shut down|^closed by the peer/, "the other portal closed it; it comes back when that portal does"],
];
const NO_HINT = "see the logs of both portals; LogLevel = debug reports every attempt";

export const LINK_CHECKS: readonly Check[] = [noPathUp, linkDown, exchangeRefused, linkFlapping, noPeer, changedByHand];

/** Reports a tunnel without any path that is up. */
export function noPathUp({ interface: subject, snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  const isUp = snapshot.links.some((link) => link.paths.some((path) => path.state === "up"));
  if (isUp || uptime < GRACE_SECONDS || snapshot.links.length === 0) return [];
  const text = `no path is up, so nothing passes; ${formatCount(snapshot.links.length, "link")} configured`;
  return [
    {
      severity: "problem",
      check: "no-path",
      subject,
      text,
      advice: "see the findings for the links below, at both portals",
    },
  ];
}

/** Reports an initiating link without a path, and a listening one that cannot listen. */
export function linkDown({ snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  if (uptime < GRACE_SECONDS) return [];
  return snapshot.links.filter(isDown).map((link) => ({
    severity: "problem",
    check: link.ups === 0 ? "link-never-up" : "link-down",
    subject: link.name,
    text: downText(link, uptime),
    advice: HINTS.find(([pattern]) => pattern.test(link.reason))?.[1] ?? NO_HINT,
  }));
}

function isDown(link: LinkSnapshot): boolean {
  if (link.state === "up" || link.state === "listening" || link.state === "stopped") return false;
  return link.failures > 0 || link.age > GRACE_SECONDS * MICROS_PER_SECOND;
}

function downText(link: LinkSnapshot, uptime: number): string {
  const attempts = formatCount(link.failures, "failed attempt");
  const start = link.role === "listen" ? "does not listen" : `is down`;
  const since = link.ups === 0 ? `never came up in ${formatSeconds(uptime)}` : `${start} for ${formatAge(link.age)}`;
  return `${since}, ${attempts}: ${link.reason}`;
}

/** Reports a link that comes and goes. */
export function linkFlapping({ snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  const limit = Math.max(UPS_MIN, (UPS_PER_HOUR * uptime) / 3_600);
  return snapshot.links
    .filter((link) => link.ups > limit)
    .map((link) => ({
      severity: "warning",
      check: "link-flapping",
      subject: link.name,
      text: `came up ${link.ups} times in ${formatSeconds(uptime)}`,
      advice:
        "try a shorter KeepAlive, which keeps the state of a firewall or NAT alive; otherwise check the line itself",
    }));
}

/** Reports a listening link that no peer has connected to. */
export function noPeer({ snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  if (uptime < GRACE_SECONDS) return [];
  return snapshot.links
    .filter((link) => link.state === "listening" && link.paths.length === 0)
    .map((link) => ({
      severity: "note",
      check: "no-peer",
      subject: link.name,
      text: `listening for ${formatAge(link.age)}, and no peer has connected`,
      advice: "start the other portal; admit the port in this host's firewall",
    }));
}

/** Reports a link whose exchange was refused because the portals do not agree; not while the link works. */
export function exchangeRefused({ snapshot }: Parameters<Check>[0]): Finding[] {
  return snapshot.links.flatMap(({ name, refused, paths }): Finding[] => {
    if (!refused || paths.some((path) => path.state === "up")) return [];
    return [
      {
        severity: "problem",
        check: "exchange-refused",
        subject: name,
        text: `an exchange was refused ${formatAge(refused.age)} ago: ${refused.text}`,
        advice: "compare Security, the keys and the versions of both portals",
      },
    ];
  });
}

/** Reports a link that `netcombiner link` changed, since it is easily forgotten. */
export function changedByHand({ snapshot }: Parameters<Check>[0]): Finding[] {
  return snapshot.links
    .filter((link) => link.byHand !== "")
    .map((link) => ({
      severity: "note",
      check: "by-hand",
      subject: link.name,
      text: `changed by hand: ${link.byHand}`,
      advice: `undo it with netcombiner link ${link.name} up, or metric default`,
    }));
}
