/**
 * The Exchange that starts a path (dissertation 3.1.5): one message each way validates the return path, agrees fresh keys
 * and tells each end what the other calls the link. Later exchanges, carried by the path itself, change its keys.
 */
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Security } from "../security/security.ts";
import type { SuiteName } from "../security/suite.ts";
import type { Hello } from "../wire/exchange-messages.ts";

/** This end's part of the hello for one path. */
export interface Introduction {
  /** Receiver index that the peer is to address this end by; 1 to 2^24 - 1. */
  readonly index: number;
  readonly link: number;
  readonly metric: number;
  readonly name: string;
  /** Addresses as this end sees them, before any NAT; undefined where addresses are not authenticated. */
  readonly addresses: { readonly source: Endpoint; readonly destination: Endpoint } | undefined;
}

/** The result of an exchange, which both ends share. */
export interface Agreement {
  readonly peer: Hello;
  /** The peer's run as text, to compare. */
  readonly run: string;
  readonly suite: SuiteName;
  readonly security: Security;
  readonly session: Session;
}

/** The session of a path, which makes its new keys. Epochs count rekeys: the keys of the exchange that made the path are 0. */
export interface Session {
  /** False for a suite without keys. */
  readonly isRenewable: boolean;
  renew(epoch: number): Rekey;
  /** Answers what `renew` of the same epoch made; undefined if it makes no sense. */
  answer(epoch: number, message: Uint8Array): { readonly message: Uint8Array; readonly security: Security } | undefined;
}

export interface Rekey {
  readonly message: Uint8Array;
  complete(answer: Uint8Array): Security | undefined;
  /** Erases the secrets of the rekey, when it is complete or given up. */
  wipe(): void;
}

/** Reason for which an exchange message was refused, for counters and the log. */
export type Refusal =
  | "malformed"
  | "version"
  /** One end has key pairs, the other only a shared key. */
  | "pattern"
  /** Made for somebody else's public key, or with another shared key. */
  | "forged"
  /** The sender has proven a key pair, but not the configured one. */
  | "unknown-key"
  /** The shared key, used besides key pairs, is not the same. */
  | "shared-key"
  | "security"
  | "replayed"
  | "unexpected";

export interface Refused {
  readonly refusal: Refusal;
  /** Details for a person, where they are authentic. */
  readonly detail?: string;
}

export interface Initiation {
  /** The message to send, and to send again until an answer comes; another one once a cookie came. */
  readonly message: Uint8Array;
  /** Takes the response; returns an agreement or the refusal. */
  complete(response: Uint8Array): Agreement | Refused;
  /** Takes a cookie; true if it is for this initiation, which then is to be sent at once. */
  takeCookie(now: Micros, message: Uint8Array): boolean;
  /** Erases the secrets of the attempt, when it is complete or given up. */
  wipe(): void;
}

/** An authentic initiation; nothing else is kept of it. */
export interface Question {
  readonly hello: Hello;
  /** Answers with new keys each time. Without a common suite there is no agreement, and the answer says so. */
  respond(introduction: Introduction): Response;
  /** Erases the secrets of a question that gets no answer, or has got its only one. */
  wipe(): void;
}

export interface Response {
  readonly message: Uint8Array;
  /** Holds once the initiator has shown that it has the keys. */
  readonly agreement: Agreement | Refused;
}

export interface Exchange {
  initiate(now: Micros, introduction: Introduction): Initiation;
  /** Checks an initiation cheaply: its shape, and that its sender knows this end. */
  check(initiation: Uint8Array): Refused | undefined;
  /** True if the sender has shown the cookie of `remote`. */
  showsCookie(now: Micros, initiation: Uint8Array, remote: Endpoint): boolean;
  /** Returns the answer to an initiation without the cookie. */
  askForCookie(now: Micros, initiation: Uint8Array, remote: Endpoint): Uint8Array;
  /** Reads an initiation that passed `check`. */
  read(initiation: Uint8Array): Question | Refused;
}

export function isRefused(value: object): value is Refused {
  return "refusal" in value;
}
