/**
 * The Exchange that starts a path (dissertation 3.1.5): one message each way validates the return path, agrees fresh keys
 * and tells each end what the other calls the link. A type behind it may be any key exchange of one round trip.
 */
import type { Endpoint } from "../endpoint.ts";
import type { Security } from "../security/security.ts";
import type { Hello } from "../wire/exchange.ts";

/** What this end says of itself on one path. */
export interface Introduction {
  /** Receiver index this end wants to be addressed by; 1 to 2^24 - 1. */
  readonly index: number;
  readonly link: number;
  readonly metric: number;
  readonly name: string;
  /** Between the NATs; undefined where addresses are not authenticated. */
  readonly addresses: { readonly source: Endpoint; readonly destination: Endpoint } | undefined;
}

/** What both ends now share. */
export interface Agreement {
  readonly peer: Hello;
  /** The peer's run as text, for comparing. */
  readonly run: string;
  readonly security: Security;
}

/** Why an exchange message was not accepted, for counters and the log. */
export type Refusal = "malformed" | "version" | "forged" | "security" | "unexpected";

export interface Initiation {
  /** The message to send, and to send again until an answer comes. */
  readonly message: Uint8Array;
  /** Takes the response; an agreement, or why not. */
  complete(response: Uint8Array): Agreement | Refusal;
}

export interface Response {
  readonly message: Uint8Array;
  /** Holds once the initiator has shown that it has the keys. */
  readonly agreement: Agreement;
}

export interface Exchange {
  initiate(introduction: Introduction): Initiation;
  /** What an initiation says, if it is authentic; nothing is kept. */
  read(initiation: Uint8Array): Hello | Refusal;
  /** Answers an initiation; every answer has keys of its own, so that a replayed initiation opens nothing. */
  respond(initiation: Uint8Array, introduction: Introduction): Response | Refusal;
}
