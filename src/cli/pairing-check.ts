/** Implements the last step of `join`: waits for every link and describes its state. */
import { formatMillis } from "../monitor/units.ts";
import type { LinkSnapshot } from "../portal/snapshot.ts";
import type { Colours } from "./colour.ts";
import { reportOf } from "./running.ts";
import { settled } from "./settled.ts";

export interface LinkCheck {
  readonly text: string;
  readonly areAllUp: boolean;
}

/** Waits for every link, and describes its state. */
export async function checkLinks(name: string, c: Colours): Promise<LinkCheck> {
  const { snapshot, failures } = await settled(async () => (await reportOf(name)).snapshot, isMeasured);
  return { text: renderLinks(snapshot.links, c, failures), areAllUp: snapshot.links.every(isUp) };
}

const upPath = (link: LinkSnapshot) => link.paths.find((path) => path.state === "up");
const isUp = (link: LinkSnapshot) => upPath(link) !== undefined;
const isMeasured = (link: LinkSnapshot) => (upPath(link)?.rtt.smoothed ?? 0) > 0;

/** Returns one line for each link: name, state, round-trip time and addresses, or the reason why it is down. */
function renderLinks(
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
  return ": check that the remote portal runs, and that its firewall and its provider's admit the port";
}
