/** The last step of `join`: waits for every link, and tells how each is doing. */
import { formatMillis } from "../monitor/units.ts";
import type { LinkSnapshot } from "../portal/snapshot.ts";
import type { Colours } from "./colour.ts";
import { isNotRunning, reportOf } from "./running.ts";

/** An attempt takes 3 s to fail, and the first may come too early. */
const ATTEMPTS = 2;
const PATIENCE_MS = 12_000;
const STEP_MS = 100;

export interface LinkCheck {
  readonly text: string;
  readonly areAllUp: boolean;
}

/** Waits until every link is up and measured or has failed twice, but not for ever. */
export async function checkLinks(name: string, c: Colours, patience = PATIENCE_MS): Promise<LinkCheck> {
  let links: readonly LinkSnapshot[] = [];
  // Why the last attempt failed; while the next is under way, a link only says so.
  const failures = new Map<string, string>();
  for (const end = performance.now() + patience; performance.now() < end; await Bun.sleep(STEP_MS)) {
    links = await linksOf(name);
    for (const link of links) if (link.state === "waiting") failures.set(link.name, link.reason);
    if (links.length > 0 && links.every((link) => isMeasured(link) || link.failures >= ATTEMPTS)) break;
  }
  return { text: renderLinks(links, c, failures), areAllUp: links.length > 0 && links.every(isUp) };
}

/** A service manager may return before the tunnel answers. */
async function linksOf(name: string): Promise<readonly LinkSnapshot[]> {
  try {
    return (await reportOf(name)).snapshot.links;
  } catch (error) {
    if (isNotRunning(error)) return [];
    throw error;
  }
}

const upPath = (link: LinkSnapshot) => link.paths.find((path) => path.state === "up");
const isUp = (link: LinkSnapshot) => upPath(link) !== undefined;
const isMeasured = (link: LinkSnapshot) => (upPath(link)?.rtt.smoothed ?? 0) > 0;

/** One line for each link: name, state, round trip, addresses or the reason. */
export function renderLinks(
  links: readonly LinkSnapshot[],
  c: Colours,
  failures: ReadonlyMap<string, string> = new Map(),
): string {
  const width = Math.max(...links.map((link) => link.name.length), 0);
  return links
    .map((link) => {
      const path = upPath(link);
      const name = link.name.padEnd(width);
      const reason = failures.get(link.name) ?? link.reason;
      if (!path) return `${name}  ${c.red("down")}  ${reason}${hint(reason)}`;
      const rtt = path.rtt.smoothed > 0 ? formatMillis(path.rtt.smoothed) : "not measured yet";
      return `${name}  ${c.green("up")}    ${rtt}  ${path.local} -> ${path.remote}`;
    })
    .join("\n");
}

function hint(reason: string): string {
  if (!reason.includes("no answer")) return "";
  return ": does the remote portal run, and do its firewall and its provider's let the port in?";
}
