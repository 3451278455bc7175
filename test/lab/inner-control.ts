/**
 * Which congestion control the hosts of the lab use: CUBIC, as most hosts do, also where this machine prefers another. A namespace takes over the machine's
 * default; for another, the machine must allow it to all, which is undone at exit.
 */
import { readFileSync, writeFileSync } from "node:fs";

const DEFAULT = "/proc/sys/net/ipv4/tcp_congestion_control";
const ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";
let isAllowed = false;

/** Lets namespaces choose CUBIC; does nothing on a machine where they have it anyway. */
export function allowCubic(): void {
  if (isAllowed || readFileSync(DEFAULT, "utf8").trim() === "cubic") return;
  const before = readFileSync(ALLOWED, "utf8").trim();
  isAllowed = true;
  if (before.split(" ").includes("cubic")) return;
  writeFileSync(ALLOWED, `${before} cubic`);
  process.on("exit", () => writeFileSync(ALLOWED, before));
}
