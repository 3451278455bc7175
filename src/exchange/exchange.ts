/**
 * The Exchange that starts a path (dissertation 3.1.5): one message each way validates the return path, agrees fresh keys
 * and tells each end what the other calls the link. Later exchanges, carried by the path itself, change its keys.
 */
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Security } from "../security/security.ts";
import type { SuiteName } from "../security/suite.ts";
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
  readonly suite: SuiteName;
  readonly security: Security;
  readonly session: Session;
}

/** Changes the keys of a path that has some. `epoch` counts: 0 are the keys of the exchange that made the path. */
export interface Session {
  /** False where keys need no change, as there is no secret in them. */
  readonly isRenewable: boolean;
  renew(epoch: number): Rekey;
  /** Answers what `renew` of the same epoch made; undefined if it makes no sense. */
  answer(epoch: number, message: Uint8Array): { readonly message: Uint8Array; readonly security: Security } | undefined;
}

export interface Rekey {
  readonly message: Uint8Array;
  complete(answer: Uint8Array): Security | undefined;
}

/** Why an exchange message was not accepted, for counters and the log. */
export type Refusal =
  | "malformed"
  | "version"
  /** One end has key pairs, the other only a shared key. */
  | "pattern"
  /** Made for somebody else's public key, or with another shared key. */
  | "forged"
  /** The sender proves to have a key pair, but not the one we were told of. */
  | "stranger"
  /** The shared key, used besides key pairs, is not the same. */
  | "shared-key"
  | "security"
  | "replayed"
  | "unexpected";

export interface Refused {
  readonly refusal: Refusal;
  /** What the peer said, for a person, where that is authentic. */
  readonly detail?: string;
}

export interface Initiation {
  /** The message to send, and to send again until an answer comes; another one once a cookie came. */
  readonly message: Uint8Array;
  /** Takes the response; an agreement, or why not. */
  complete(response: Uint8Array): Agreement | Refused;
  /** Takes a cookie; true if it is for this initiation, which then is to be sent at once. */
  takeCookie(now: Micros, message: Uint8Array): boolean;
}

/** An initiation that is authentic; nothing is kept of it but what this holds. */
export interface Question {
  readonly hello: Hello;
  /** Answers; every answer has keys of its own. Without a common suite there is no agreement, and the answer tells so. */
  respond(introduction: Introduction): Response;
}

export interface Response {
  readonly message: Uint8Array;
  /** Holds once the initiator has shown that it has the keys. */
  readonly agreement: Agreement | Refused;
}

export interface Exchange {
  initiate(now: Micros, introduction: Introduction): Initiation;
  /** Looks at an initiation without much work: whether it is of our kind and its sender knows us. */
  check(initiation: Uint8Array): Refused | undefined;
  /** Whether the sender has shown the cookie of `remote`. */
  showsCookie(now: Micros, initiation: Uint8Array, remote: Endpoint): boolean;
  /** What to answer an initiation without the cookie with. */
  askForCookie(now: Micros, initiation: Uint8Array, remote: Endpoint): Uint8Array;
  /** Reads an initiation that `check` had nothing against. */
  read(initiation: Uint8Array): Question | Refused;
}

export function isRefused(value: object): value is Refused {
  return "refusal" in value;
}
