/** Health of links: is each one there, and does it stay? */
import { MICROS_PER_SECOND } from "../../clock.ts";
import type { LinkSnapshot } from "../../portal/snapshot.ts";
import type { Check, Finding } from "../finding.ts";
import { formatAge, formatCount, formatSeconds } from "../units.ts";

/** A link that came up more often than this in an hour is not steady. */
const UPS_PER_HOUR = 6;
const UPS_MIN = 4;
/** An attempt takes a few seconds; what is younger is no finding yet. */
const PATIENCE_SECONDS = 10;

/** Hints by what the reason begins with; the first that fits. */
const HINTS: readonly (readonly [start: RegExp, advice: string])[] = [
  [
    /^no answer from the peer/,
    "see that the remote portal runs, that its firewall lets the port in, that both have the same key, and look at its own netcombiner show",
  ],
  [/^interface \S+ (has no address|does not exist)/, "plug it in, or wait for DHCP; it is tried again by itself"],
  [/cannot be looked up|no name server/, "check RemoteHost and the resolver, or give an address instead of a name"],
  [/EADDRINUSE/, "another program has this port; choose another LocalPort"],
  [/EPERM|EACCES/, "run it as root"],
  [/ENETUNREACH|EHOSTUNREACH|ENETDOWN/, "this host has no route by that interface; check the link's own default route"],
  [/ECONNREFUSED/, "nobody listens there; check Method, RemoteHost and RemotePort against the remote portal"],
  [/^path suspect/, "it was up and does not answer; it is tried anew all the time"],
  [/^peer shut down|^closed by the peer/, "the other portal ended it; it comes back when that one does"],
];
const NO_HINT = "the log of both portals says more; LogLevel = debug tells every attempt";

export const LINK_CHECKS: readonly Check[] = [
  noPathUp,
  linkDown,
  exchangeRefused,
  linkFlapping,
  nobodyCame,
  changedByHand,
];

/** Nothing at all passes. */
export function noPathUp({ interface: subject, snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  const isUp = snapshot.links.some((link) => link.paths.some((path) => path.state === "up"));
  if (isUp || uptime < PATIENCE_SECONDS || snapshot.links.length === 0) return [];
  const text = `no path is up, nothing passes; ${formatCount(snapshot.links.length, "link")} configured`;
  return [{ severity: "problem", check: "no-path", subject, text, advice: "look at the links below, at both portals" }];
}

/** An initiating link without a path, or a listening one that cannot listen. */
export function linkDown({ snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  if (uptime < PATIENCE_SECONDS) return [];
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
  return link.failures > 0 || link.age > PATIENCE_SECONDS * MICROS_PER_SECOND;
}

function downText(link: LinkSnapshot, uptime: number): string {
  const attempts = formatCount(link.failures, "failed attempt");
  const start = link.role === "listen" ? "does not listen" : `is down`;
  const since = link.ups === 0 ? `never came up in ${formatSeconds(uptime)}` : `${start} for ${formatAge(link.age)}`;
  return `${since}, ${attempts}: ${link.reason}`;
}

/** Comes and goes. */
export function linkFlapping({ snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  const limit = Math.max(UPS_MIN, (UPS_PER_HOUR * uptime) / 3_600);
  return snapshot.links
    .filter((link) => link.ups > limit)
    .map((link) => ({
      severity: "warning",
      check: "link-flapping",
      subject: link.name,
      text: `came up ${link.ups} times in ${formatSeconds(uptime)}`,
      advice: "a shorter KeepAlive helps against a firewall or NAT that forgets; otherwise the line itself is unsteady",
    }));
}

/** A listener that nobody has come to. */
export function nobodyCame({ snapshot, uptime }: Parameters<Check>[0]): Finding[] {
  if (uptime < PATIENCE_SECONDS) return [];
  return snapshot.links
    .filter((link) => link.state === "listening" && link.paths.length === 0)
    .map((link) => ({
      severity: "note",
      check: "no-peer",
      subject: link.name,
      text: `listens for ${formatAge(link.age)} and no peer is connected`,
      advice: "start the other portal; let the port through this host's firewall",
    }));
}

/** The two ends do not agree: the exchange itself says on what. Old news while the link works. */
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

/** Somebody changed it while it runs, and may have forgotten. */
export function changedByHand({ snapshot }: Parameters<Check>[0]): Finding[] {
  return snapshot.links
    .filter((link) => link.byHand !== "")
    .map((link) => ({
      severity: "note",
      check: "by-hand",
      subject: link.name,
      text: `changed by hand: ${link.byHand}`,
      advice: `netcombiner link ${link.name} up, or metric default, undoes it`,
    }));
}
