/**
 * Which congestion control the hosts of the lab use: CUBIC, as most hosts do, also where this machine prefers another. A namespace takes over the machine's
 * default; to choose another, the machine must allow it to all for the moment. What was chosen stays when that is undone.
 */
import { readFileSync, writeFileSync } from "node:fs";

const DEFAULT = "/proc/sys/net/ipv4/tcp_congestion_control";
const ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";

/** Runs `choose`, in which namespaces may choose CUBIC. */
export function whileCubicIsAllowed(choose: () => void): void {
  const before = readFileSync(ALLOWED, "utf8").trim();
  if (readFileSync(DEFAULT, "utf8").trim() === "cubic" || before.split(" ").includes("cubic")) return choose();
  writeFileSync(ALLOWED, `${before} cubic`);
  try {
    choose();
  } finally {
    writeFileSync(ALLOWED, before);
  }
}
