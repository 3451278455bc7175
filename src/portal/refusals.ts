/** What a person is told of an exchange that was refused; nothing of refusals that are not for a person. */
import type { Refusal } from "../exchange/exchange.ts";

export const REFUSALS: Partial<Record<Refusal | "addresses" | "limited", string>> = {
  version: "speaks another version of the protocol; upgrade both portals",
  forged: "exchange message not made with our SharedKey; compare the keys of both portals",
  security: "the peer's Security is another than ours; set the same on both portals",
  addresses: "addresses between the NATs are not as the peer says; check PublicAddress on both portals",
};
