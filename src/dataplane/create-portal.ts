/** The portal with what this machine has for it: ciphers, what they cost here, and chance. */
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
