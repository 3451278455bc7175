/** Waits until there is something to say of every link of a tunnel. */
import { EXIT, NetcombinerError } from "../errors.ts";
import type { LinkSnapshot, TunnelSnapshot } from "../portal/snapshot.ts";
import { isNotRunning } from "./running.ts";

/** An attempt takes 3 s to fail, and the first may come too early. */
const ATTEMPTS = 2;
const PATIENCE_MS = 12_000;
const STEP_MS = 100;

export interface Settled {
  readonly snapshot: TunnelSnapshot;
  /** Why the last attempt of a link failed; while the next is under way, the link itself only says so. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * Waits until each link is measured, has failed twice, or waits for its peer; but not for ever.
 * @param read rejects with `UNAVAILABLE` while the tunnel does not answer yet
 * @param isMeasured whether enough is known of a link
 * @throws NetcombinerError when the tunnel does not answer in all that time
 */
export async function settled(
  read: () => Promise<TunnelSnapshot>,
  isMeasured: (link: LinkSnapshot) => boolean,
  concerns: (link: LinkSnapshot) => boolean = () => true,
): Promise<Settled> {
  const failures = new Map<string, string>();
  for (const end = performance.now() + PATIENCE_MS; ; await Bun.sleep(STEP_MS)) {
    const snapshot = await unlessAway(read);
    for (const link of snapshot?.links ?? []) if (link.state === "waiting") failures.set(link.name, link.reason);
    const isOver = performance.now() > end;
    const links = snapshot?.links.filter(concerns) ?? [];
    if (snapshot && (isOver || links.every((link) => isMeasured(link) || isGivenUp(link))))
      return { snapshot, failures };
    if (isOver) throw new NetcombinerError("the tunnel does not answer", EXIT.TEMPORARY);
  }
}

function isGivenUp({ role, state, failures, paths }: LinkSnapshot): boolean {
  const isUp = paths.some((path) => path.state === "up");
  return !isUp && (role === "listen" || state === "stopped" || failures >= ATTEMPTS);
}

async function unlessAway(read: () => Promise<TunnelSnapshot>): Promise<TunnelSnapshot | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isNotRunning(error)) return undefined;
    throw error;
  }
}
