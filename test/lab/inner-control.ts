/**
 * The congestion control of the hosts of the lab: CUBIC, as most hosts do, also where this machine prefers another, or BBR. A namespace takes over the
 * machine's default; to choose another, the machine must allow it to all for the moment. What was chosen stays when that is undone.
 */
import { readFileSync, writeFileSync } from "node:fs";

export type InnerControl = "cubic" | "bbr";

const DEFAULT = "/proc/sys/net/ipv4/tcp_congestion_control";
const ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";

/** Runs `choose`, in which namespaces may choose `control`. */
export function whileAllowed(control: InnerControl, choose: () => void): void {
  const before = readFileSync(ALLOWED, "utf8").trim();
  if (readFileSync(DEFAULT, "utf8").trim() === control || before.split(" ").includes(control)) return choose();
  writeFileSync(ALLOWED, `${before} ${control}`);
  try {
    choose();
  } finally {
    writeFileSync(ALLOWED, before);
  }
}
