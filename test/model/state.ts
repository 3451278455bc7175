// What two portals and the attacker know at a moment. Plain data, so that a state can be copied and compared.

import type { Attacker, Key } from "./terms.ts";

/** A rekey's handshake, its first message. */
export interface Request {
  readonly binding: string;
  readonly epoch: number;
  readonly ephemeral: string;
  readonly identity: string;
}

export type Message =
  | { readonly type: "initiation"; readonly run: number; readonly attempt: number; readonly ephemeral: string }
  | { readonly type: "response"; readonly initiation: string; readonly ephemeral: string; readonly path: string }
  | { readonly type: "request"; readonly under: string; readonly request: Request }
  | { readonly type: "answer"; readonly under: string; readonly request: Request; readonly ephemeral: string }
  | { readonly type: "data"; readonly under: string };

export interface InitiatorPath {
  readonly name: string;
  /** The responder's name for the path, as it said it. */
  readonly peer: string;
  readonly binding: string;
  key: Key;
  epoch: number;
  pending: Request | undefined;
}

export interface ResponderPath {
  readonly name: string;
  readonly peer: string;
  readonly binding: string;
  key: Key;
  epoch: number;
  isConfirmed: boolean;
  next: { readonly key: Key; readonly request: Request } | undefined;
}

export interface State {
  initiator: { run: number; attempts: { readonly name: string; readonly ephemeral: string }[]; paths: InitiatorPath[] };
  responder: { run: number; read: string[]; paths: ResponderPath[] };
  readonly messages: Message[];
  attacker: Attacker;
  /** Counts of what happened so far, for the bounds. */
  ephemerals: number;
  attempts: number;
  answers: number;
  restarts: number;
  rekeys: number;
  disclosures: number;
  /** Every key that was ever used, by the end, path and epoch that used it. */
  readonly used: { readonly by: string; readonly key: Key }[];
  /** Paths of both ends that ever were, with their names for each other, to compare views. */
  readonly views: { readonly end: "initiator" | "responder"; readonly view: string }[];
  /** Requests as their maker meant them. */
  readonly requests: { readonly path: string; readonly request: Request }[];
}

export function firstState(privates: readonly string[]): State {
  return {
    initiator: { run: 1, attempts: [], paths: [] },
    responder: { run: 1, read: [], paths: [] },
    messages: [],
    attacker: { privates: ["eX", "sX", ...privates], keys: [] },
    ephemerals: 0,
    attempts: 0,
    answers: 0,
    restarts: 0,
    rekeys: 0,
    disclosures: 0,
    used: [],
    views: [],
    requests: [],
  };
}
