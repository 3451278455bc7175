// What may happen next: each portal's own steps, a restart, a disclosure of all keys in use, and the delivery of any message that was ever sent, or
// that the attacker can make, to any path. Messages that nobody delivers are lost; that needs no step of its own.

import type { InitiatorPath, Request, ResponderPath, State } from "./state.ts";
import { dh, type Key, knows, nameOf } from "./terms.ts";

/** The protocol, with the measures that a test can take away. */
export interface Design {
  /** The responder adds an ephemeral key of its own. */
  readonly respondsWithEphemeral: boolean;
  /** An initiation is answered once in a run. */
  readonly remembersAttempts: boolean;
  /** A rekey is bound to the hash of the exchange that made the path. */
  readonly bindsPath: boolean;
  /** A rekey is bound to its place in the order of rekeys. */
  readonly bindsEpoch: boolean;
  /** A rekey is accepted from the peer's key pair alone. */
  readonly checksIdentity: boolean;
}

export const DESIGN: Design = {
  respondsWithEphemeral: true,
  remembersAttempts: true,
  bindsPath: true,
  bindsEpoch: true,
  checksIdentity: true,
};

/** How much may happen. */
export interface Bounds {
  readonly attempts: number;
  readonly answers: number;
  readonly restarts: number;
  readonly rekeys: number;
  /** How often the attacker learns all keys that both ends have. */
  readonly disclosures: number;
}

export interface Move {
  readonly name: string;
  apply(state: State): void;
}

const copy = (state: State): State => structuredClone(state);

/** Returns each state that one step leads to, with the name of the step. */
export function successors(
  state: State,
  design: Design,
  bounds: Bounds,
): { readonly name: string; readonly state: State }[] {
  const moves = [...ownMoves(state, bounds), ...deliveries(state, design, bounds), ...forgeries(state, design, bounds)];
  return moves.map(({ name, apply }) => {
    const next = copy(state);
    apply(next);
    return { name, state: next };
  });
}

function ownMoves(state: State, bounds: Bounds): Move[] {
  const moves: Move[] = [];
  if (state.attempts < bounds.attempts) moves.push({ name: "the initiator begins an attempt", apply: begin });
  if (state.restarts < bounds.restarts) {
    moves.push({ name: "the initiator restarts", apply: restartInitiator });
    moves.push({ name: "the responder restarts", apply: restartResponder });
  }
  if (state.disclosures < bounds.disclosures && sharedKeys(state).length > 0) {
    moves.push({ name: "all keys in use are disclosed to the attacker", apply: disclose });
  }
  state.initiator.paths.forEach((path, i) => {
    if (!path.pending && state.rekeys < bounds.rekeys) {
      moves.push({ name: `the initiator asks for new keys of ${path.name}`, apply: (next) => ask(next, i) });
    }
  });
  return moves;
}

function begin(state: State): void {
  const ephemeral = `e${++state.ephemerals}`;
  const name = `i${state.initiator.run}.${++state.attempts}`;
  state.initiator.attempts.push({ name, ephemeral });
  state.messages.push({ type: "initiation", run: state.initiator.run, attempt: state.attempts, ephemeral });
}

function restartInitiator(state: State): void {
  state.restarts++;
  state.initiator = { run: state.initiator.run + 1, attempts: [], paths: [] };
}

function restartResponder(state: State): void {
  state.restarts++;
  state.responder = { run: state.responder.run + 1, read: [], paths: [] };
}

function disclose(state: State): void {
  state.disclosures++;
  state.attacker = { ...state.attacker, keys: [...new Set([...state.attacker.keys, ...sharedKeys(state)])] };
}

/** Returns the keys that both ends have: those of one alone protect nothing yet, and disclosing them tells nothing about the design. */
function sharedKeys(state: State): string[] {
  const theirs = new Set(state.responder.paths.map(({ key }) => nameOf(key)));
  return state.initiator.paths.map(({ key }) => nameOf(key)).filter((key) => theirs.has(key));
}

function ask(state: State, index: number): void {
  const path = state.initiator.paths[index] as InitiatorPath;
  state.rekeys++;
  const ephemeral = `e${++state.ephemerals}`;
  path.pending = { binding: path.binding, epoch: path.epoch + 1, ephemeral, identity: "sI" };
  state.requests.push({ path: path.name, request: path.pending });
  state.messages.push({ type: "request", under: nameOf(path.key), request: path.pending });
}

function deliveries(state: State, design: Design, bounds: Bounds): Move[] {
  return state.messages.flatMap((message): Move[] => {
    if (message.type === "initiation") {
      const id = initiationId(message.run, message.attempt, message.ephemeral);
      return answerable(state, design, bounds, id)
        ? [{ name: `the responder reads ${id}`, apply: (next) => respond(next, design, message.ephemeral, id) }]
        : [];
    }
    if (message.type === "response") {
      return state.initiator.attempts.flatMap(({ name, ephemeral }, i) => {
        const own = `${name}/${ephemeral}`;
        const fits = own === message.initiation;
        return fits
          ? [
              {
                name: `the initiator reads the response to ${own}`,
                apply: (next: State) => complete(next, design, i, message),
              },
            ]
          : [];
      });
    }
    if (message.type === "data") {
      return state.responder.paths.flatMap((path, i) => confirmations(path, i, message.under));
    }
    if (message.type === "request") {
      return state.responder.paths.flatMap((path, i) =>
        canPlace(state, message.under, path.key) ? answers(state, design, bounds, path, i, message.request) : [],
      );
    }
    return state.initiator.paths.flatMap((path, i) =>
      canPlace(state, message.under, path.key) && isSame(path.pending, message.request)
        ? [
            {
              name: `the initiator reads an answer on ${path.name}`,
              apply: (next: State) => finish(next, i, message.ephemeral),
            },
          ]
        : [],
    );
  });
}

/** What the attacker makes with his own ephemeral key and, for a rekey, his own identity. */
function forgeries(state: State, design: Design, bounds: Bounds): Move[] {
  const moves: Move[] = [];
  const first = { secrets: [dh("eX", "sR"), dh("sI", "sR")], transcript: "" };
  if (knows(state.attacker, first) && answerable(state, design, bounds, "forged/eX")) {
    moves.push({
      name: "the responder reads a forged initiation",
      apply: (next) => respond(next, design, "eX", "forged/eX"),
    });
  }
  state.initiator.attempts.forEach(({ name, ephemeral }, i) => {
    const key = pathKey(design, ephemeral, "eX", `${name}/${ephemeral}`);
    const forged = { type: "response", initiation: `${name}/${ephemeral}`, ephemeral: "eX", path: "forged" } as const;
    if (knows(state.attacker, key))
      moves.push({ name: "the initiator reads a forged response", apply: (next) => complete(next, design, i, forged) });
  });
  state.responder.paths.forEach((path, i) => {
    const keys = [path.key, ...(path.next ? [path.next.key] : [])];
    for (const key of keys) if (knows(state.attacker, key)) moves.push(...confirmations(path, i, nameOf(key)));
    if (!knows(state.attacker, path.key)) return;
    for (const identity of ["sX", "sI"]) {
      const payload = { secrets: [dh("eX", "sR"), dh(identity, "sR")], transcript: "" };
      const request = { binding: path.binding, epoch: path.epoch + 1, ephemeral: "eX", identity };
      if (knows(state.attacker, payload)) moves.push(...answers(state, design, bounds, path, i, request));
    }
  });
  return moves;
}

function initiationId(run: number, attempt: number, ephemeral: string): string {
  return `i${run}.${attempt}/${ephemeral}`;
}

function answerable(state: State, design: Design, bounds: Bounds, id: string): boolean {
  return state.answers < bounds.answers && !(design.remembersAttempts && state.responder.read.includes(id));
}

/** IKpsk2: es, ss, ee, se and the shared key; the transcript are both messages. */
function pathKey(design: Design, initiator: string, responder: string, transcript: string): Key {
  const secrets = [dh(initiator, "sR"), dh("sI", "sR"), "psk"];
  if (!design.respondsWithEphemeral) return { secrets, transcript };
  return {
    secrets: [...secrets, dh(initiator, responder), dh("sI", responder)],
    transcript: `${transcript}/${responder}`,
  };
}

function respond(state: State, design: Design, ephemeral: string, id: string): void {
  const own = `e${++state.ephemerals}`;
  const name = `r${state.responder.run}.${++state.answers}`;
  const key = pathKey(design, ephemeral, own, id);
  state.responder.read.push(id);
  state.responder.paths.push({
    name,
    peer: id.split("/")[0] as string,
    binding: nameOf(key),
    key,
    epoch: 0,
    isConfirmed: false,
    next: undefined,
  });
  state.messages.push({ type: "response", initiation: id, ephemeral: own, path: name });
  state.used.push({ by: `responder ${name} 0`, key });
  state.views.push({ end: "responder", view: viewOf(id.split("/")[0] as string, name, 0, key) });
}

function complete(
  state: State,
  design: Design,
  index: number,
  message: { readonly ephemeral: string; readonly path: string },
): void {
  const [attempt] = state.initiator.attempts.splice(index, 1);
  const { name, ephemeral } = attempt as { name: string; ephemeral: string };
  const key = pathKey(design, ephemeral, message.ephemeral, `${name}/${ephemeral}`);
  state.initiator.paths.push({ name, peer: message.path, binding: nameOf(key), key, epoch: 0, pending: undefined });
  state.messages.push({ type: "data", under: nameOf(key) });
  state.used.push({ by: `initiator ${name} 0`, key });
  state.views.push({ end: "initiator", view: viewOf(name, message.path, 0, key) });
}

/** A datagram under a path's keys, or under the next ones, brings them into use. */
function confirmations(path: ResponderPath, index: number, under: string): Move[] {
  const isNext = path.next !== undefined && nameOf(path.next.key) === under;
  if (!isNext && (path.isConfirmed || nameOf(path.key) !== under)) return [];
  return [
    {
      name: `a datagram confirms ${path.name}${isNext ? " under new keys" : ""}`,
      apply: (state) => confirm(state, index, isNext),
    },
  ];
}

function confirm(state: State, index: number, isNext: boolean): void {
  const path = state.responder.paths[index] as ResponderPath;
  path.isConfirmed = true;
  if (!isNext || !path.next) return;
  path.key = path.next.key;
  path.epoch++;
  path.next = undefined;
}

/** Something sealed goes where it was sealed for; whoever knows both keys takes it out of one and puts it under another. */
function canPlace(state: State, under: string, key: Key): boolean {
  return under === nameOf(key) || (state.attacker.keys.includes(under) && knows(state.attacker, key));
}

function isSame(a: Request | undefined, b: Request): boolean {
  return a !== undefined && a.ephemeral === b.ephemeral && a.epoch === b.epoch && a.binding === b.binding;
}

function answers(
  state: State,
  design: Design,
  bounds: Bounds,
  path: ResponderPath,
  index: number,
  request: Request,
): Move[] {
  const isRefused =
    (design.bindsPath && request.binding !== path.binding) ||
    (design.bindsEpoch && request.epoch !== path.epoch + 1) ||
    (design.checksIdentity && request.identity !== "sI") ||
    path.next !== undefined ||
    state.answers >= bounds.answers + bounds.rekeys;
  return isRefused
    ? []
    : [{ name: `the responder answers a request on ${path.name}`, apply: (next) => answer(next, index, request) }];
}

function rekeyKey({ ephemeral, identity, binding, epoch }: Request, own: string): Key {
  const secrets = [dh(ephemeral, "sR"), dh(identity, "sR"), "psk", dh(ephemeral, own), dh(identity, own)];
  return { secrets, transcript: `rekey ${binding} ${epoch} ${ephemeral} ${own}` };
}

function answer(state: State, index: number, request: Request): void {
  const path = state.responder.paths[index] as ResponderPath;
  const own = `e${++state.ephemerals}`;
  const key = rekeyKey(request, own);
  state.answers++;
  path.next = { key, request };
  state.messages.push({ type: "answer", under: nameOf(path.key), request, ephemeral: own });
  state.used.push({ by: `responder ${path.name} ${path.epoch + 1}`, key });
  state.views.push({ end: "responder", view: viewOf(path.peer, path.name, path.epoch + 1, key) });
}

function finish(state: State, index: number, ephemeral: string): void {
  const path = state.initiator.paths[index] as InitiatorPath;
  const key = rekeyKey(path.pending as Request, ephemeral);
  path.key = key;
  path.epoch++;
  path.pending = undefined;
  state.messages.push({ type: "data", under: nameOf(key) });
  state.used.push({ by: `initiator ${path.name} ${path.epoch}`, key });
  state.views.push({ end: "initiator", view: viewOf(path.name, path.peer, path.epoch, key) });
}

/** An end's picture of a path: both names, the epoch and the key. */
export function viewOf(initiator: string, responder: string, epoch: number, key: Key): string {
  return `${initiator} ${responder} ${epoch} ${nameOf(key)}`;
}
