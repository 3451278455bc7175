/** Makes the portal with this machine's ciphers, their measured cost, and its random numbers. */
import type { PacketPool } from "../memory/packet-pool.ts";
import { Portal } from "../portal/portal.ts";
import type { TunnelSettings } from "../portal/settings.ts";
import { systemCiphers } from "./ciphers.ts";
import { measureSuites } from "./suite-costs.ts";

export function createPortal(tunnel: TunnelSettings, pool: PacketPool): Portal {
  const ciphers = systemCiphers();
  const suiteCosts = tunnel.security === "auto" ? measureSuites(ciphers) : undefined;
  return new Portal({ ...tunnel, suiteCosts }, pool, (out) => crypto.getRandomValues(out), ciphers);
}
