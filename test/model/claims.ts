// What docs/security.md claims, as conditions on a state. Each returns a sentence for a state that breaks it.

import { type Design, viewOf } from "./moves.ts";
import type { State } from "./state.ts";
import { type Attacker, knows, nameOf } from "./terms.ts";

/** Returns what is wrong with a state; undefined if every claim holds. `design` is the one without measures taken away. */
export function brokenClaim(state: State): string | undefined {
  return (
    secrecy(state) ??
    forwardSecrecy(state) ??
    agreement(state) ??
    rekeyOfItsPath(state) ??
    uniqueKeys(state) ??
    readOnce(state)
  );
}

/** An end whose own private key is known still cannot be fooled; one whose peer's key is known can, by that peer. */
function trusts(state: State, end: "initiator" | "responder"): boolean {
  return !state.attacker.privates.includes(end === "initiator" ? "sR" : "sI");
}

function secrecy(state: State): string | undefined {
  const { attacker } = state;
  const withoutGiven: Attacker = { ...attacker, keys: [] };
  for (const path of state.initiator.paths) {
    if (trusts(state, "initiator") && knows(withoutGiven, path.key))
      return `the attacker knows the keys of ${path.name}`;
  }
  for (const path of state.responder.paths) {
    if (trusts(state, "responder") && path.isConfirmed && knows(withoutGiven, path.key))
      return `the attacker knows the keys of ${path.name}`;
  }
  return undefined;
}

/** Recorded traffic stays secret although every long-lived key becomes known: the keys of paths between the two portals need ephemeral ones. */
function forwardSecrecy(state: State): string | undefined {
  const later: Attacker = { privates: [...state.attacker.privates, "sI", "sR", "psk"], keys: [] };
  const agreed = state.initiator.paths.filter(({ key }) =>
    state.responder.paths.some((path) => nameOf(path.key) === nameOf(key)),
  );
  const open = agreed.find(({ key }) => knows(later, key));
  return open && `the keys of ${open.name} follow from the long-lived ones`;
}

/** Whoever uses keys shares its picture of the path with the other end: names, epoch, keys. */
function agreement(state: State): string | undefined {
  const has = (end: "initiator" | "responder", view: string) =>
    state.views.some((other) => other.end === end && other.view === view);
  for (const { name, peer, epoch, key } of state.initiator.paths) {
    if (trusts(state, "initiator") && !has("responder", viewOf(name, peer, epoch, key)))
      return `the initiator is alone with its picture of ${name}`;
  }
  for (const { name, peer, epoch, key, isConfirmed } of state.responder.paths) {
    if (!trusts(state, "responder") || !isConfirmed) continue;
    if (!has("initiator", viewOf(peer, name, epoch, key))) return `the responder is alone with its picture of ${name}`;
  }
  return undefined;
}

/** A request is answered on the path and for the epoch that it was made for. */
function rekeyOfItsPath(state: State): string | undefined {
  if (!trusts(state, "responder") || state.attacker.privates.includes("sR")) return undefined;
  for (const { name, peer, epoch, next } of state.responder.paths) {
    if (next?.request.identity !== "sI") continue;
    const isMeant = state.requests.some(
      ({ path, request }) =>
        path === peer && request.epoch === epoch + 1 && request.ephemeral === next.request.ephemeral,
    );
    if (!isMeant) return `a request of another path or epoch was answered on ${name}`;
  }
  return undefined;
}

/** No key serves two paths, epochs or runs of one end: packet numbers begin anew there, and a nonce would come twice. */
function uniqueKeys(state: State): string | undefined {
  const byKey = new Map<string, string>();
  for (const { by, key } of state.used) {
    const mark = `${by.split(" ")[0]} ${nameOf(key)}`;
    const other = byKey.get(mark);
    if (other !== undefined && other !== by) return `${by} has the keys of ${other}`;
    byKey.set(mark, by);
  }
  return undefined;
}

/** A running responder answers an initiation once. */
function readOnce(state: State): string | undefined {
  const { read } = state.responder;
  return read.length === new Set(read).size ? undefined : "an initiation was answered twice";
}

export type Measure = keyof Design;
