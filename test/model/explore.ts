// Looks at every state that can be reached within the bounds, whatever the attacker does, until one breaks a claim.

import { brokenClaim } from "./claims.ts";
import { type Bounds, type Design, successors } from "./moves.ts";
import { firstState, type State } from "./state.ts";

export interface Exploration {
  readonly states: number;
  /** The claim that broke and the steps that led there; undefined if none did. */
  readonly broken: { readonly claim: string; readonly steps: readonly string[] } | undefined;
}

interface Visit {
  readonly state: State;
  readonly name: string;
  readonly from: Visit | undefined;
}

/** Explores breadth first, so that the steps to a broken claim are the fewest. @param privates long-lived keys that the attacker has */
export function explore(design: Design, bounds: Bounds, privates: readonly string[] = []): Exploration {
  const first: Visit = { state: firstState(privates), name: "", from: undefined };
  const seen = new Set([fingerprint(first.state)]);
  let frontier = [first];
  while (frontier.length > 0) {
    const next: Visit[] = [];
    for (const from of frontier) {
      for (const { name, state } of successors(from.state, design, bounds)) {
        const mark = fingerprint(state);
        if (seen.has(mark)) continue;
        seen.add(mark);
        const visit = { state, name, from };
        const claim = brokenClaim(state);
        if (claim !== undefined) return { states: seen.size, broken: { claim, steps: stepsTo(visit) } };
        next.push(visit);
      }
    }
    frontier = next;
  }
  return { states: seen.size, broken: undefined };
}

/** States that differ only in the order of what was sent are one. */
function fingerprint(state: State): string {
  const sorted = (list: readonly unknown[]) => list.map((entry) => JSON.stringify(entry)).sort();
  const { messages, used, views, requests, ...rest } = state;
  return JSON.stringify([rest, sorted(messages), sorted(used), sorted(views), sorted(requests)]);
}

function stepsTo(visit: Visit): string[] {
  const steps: string[] = [];
  for (let at: Visit | undefined = visit; at?.from; at = at.from) steps.unshift(at.name);
  return steps;
}
