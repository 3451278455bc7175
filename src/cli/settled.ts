/** Waits until every link of a tunnel has come up or failed. */
import { EXIT, NetcombinerError } from "../errors.ts";
import type { LinkSnapshot, TunnelSnapshot } from "../portal/snapshot.ts";
import { isNotRunning } from "./running.ts";

/** Failed attempts after which a link counts as down; the first may come too early. An attempt takes about 3 s. */
const ATTEMPTS = 2;
const TIMEOUT_MS = 12_000;
const STEP_MS = 100;

export interface Settled {
  readonly snapshot: TunnelSnapshot;
  /** Reasons why the last attempt of each link failed, which a link does not report while the next attempt is under way. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * Waits until each link is measured, has failed twice, or listens without a peer, for `TIMEOUT_MS` at most.
 * @param read returns the snapshot, and rejects with `UNAVAILABLE` while the tunnel does not answer yet
 * @param isMeasured is true if enough is known of a link
 * @param concerns is true for the links to wait for
 * @throws NetcombinerError when the tunnel does not answer until the timeout
 */
export async function settled(
  read: () => Promise<TunnelSnapshot>,
  isMeasured: (link: LinkSnapshot) => boolean,
  concerns: (link: LinkSnapshot) => boolean = () => true,
): Promise<Settled> {
  const failures = new Map<string, string>();
  for (const end = performance.now() + TIMEOUT_MS; ; await Bun.sleep(STEP_MS)) {
    const snapshot = await unlessAway(read);
    for (const link of snapshot?.links ?? []) if (link.state === "waiting") failures.set(link.name, link.reason);
    const isOver = performance.now() > end;
    const links = snapshot?.links.filter(concerns) ?? [];
    if (snapshot && (isOver || links.every((link) => isMeasured(link) || isGivenUp(link))))
      return { snapshot, failures };
    if (isOver)
      throw new NetcombinerError(
        `the tunnel did not answer within ${TIMEOUT_MS / 1_000} s; its log says why`,
        EXIT.TEMPORARY,
      );
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
