/** Counts refused exchange messages and explains them to a person, with what to do about each. */

import { MICROS_PER_SECOND, type Micros } from "../../clock.ts";
import { DROP, type DropReason } from "../../drops.ts";
import { type Endpoint, formatEndpoint } from "../../endpoint.ts";
import type { Refused } from "../../exchange/exchange.ts";
import type { PortalContext } from "../context.ts";
import type { TunnelSettings } from "../settings.ts";
import type { Link } from "./link.ts";

export type Rejection = Refused | { readonly refusal: "addresses" | "limited"; readonly detail?: string };

/** Shortest time between two messages about refusals of one kind, so that a flood does not fill the log. */
const QUIET: Micros = MICROS_PER_SECOND / 10;

/** Counts a refused message, and logs it if a person has to do something about it. */
export function reportRefusal(
  context: PortalContext,
  now: Micros,
  link: Link,
  rejection: Rejection,
  remote: Endpoint,
): void {
  const { refusal } = rejection;
  context.drops.count(DROP[COUNTED[refusal] ?? "exchange-forged"]);
  const { refused } = link;
  if (refused?.refusal === refusal && now - refused.at < QUIET) return;
  const text = explainRefusal(rejection, context.settings);
  if (!text) return;
  const told = `${formatEndpoint(remote)}: ${text}`;
  link.refused = { refusal, text: told, at: now };
  const { name } = link.settings;
  context.events.push({ type: "log", level: "warn", key: `${name} ${refusal}`, text: `${name}: ${told}` });
}

const COUNTED: Partial<Record<Rejection["refusal"], DropReason>> = {
  limited: "exchange-limited",
  unexpected: "exchange-unexpected",
  replayed: "exchange-replayed",
};

/** Returns what to do about a refusal, undefined if it needs nobody's attention. */
function explainRefusal({ refusal, detail }: Rejection, settings: TunnelSettings): string | undefined {
  const hasKeyPair = settings.privateKey !== undefined && settings.security !== "none";
  switch (refusal) {
    case "version":
      return "speaks another version of the protocol; upgrade both portals";
    case "pattern":
      return "the peer's Security, or its kind of keys, is another than ours; set the same on both portals";
    case "forged":
      return hasKeyPair
        ? "exchange message not made for our key pair; the PublicKey there must be the one that belongs to our PrivateKey"
        : "exchange message not made with our SharedKey; compare the keys of both portals";
    case "unknown-key":
      return `the peer's public key is ${detail}, which is not our PublicKey; compare the keys of both portals`;
    case "shared-key":
      return "the peer's SharedKey is another than ours; compare the keys of both portals";
    case "security":
      return `the peer's Security is another than ours, as it offers ${detail}; set the same on both portals`;
    case "addresses":
      return "addresses between the NATs are not as the peer says; check PublicAddress on both portals";
    default:
      return undefined;
  }
}
