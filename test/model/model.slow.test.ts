import { describe, expect, test } from "bun:test";
import { explore } from "./explore.ts";
import { type Bounds, DESIGN, type Design } from "./moves.ts";

/** Two paths with a rekey, and a restart of either end. */
const PATHS: Bounds = { attempts: 2, answers: 2, restarts: 1, rekeys: 1, disclosures: 1 };
/** One path with two rekeys, whose keys become known twice. */
const REKEYS: Bounds = { attempts: 1, answers: 1, restarts: 0, rekeys: 2, disclosures: 2 };
/** Milliseconds for tens of thousands of states on a machine with other load. */
const TIMEOUT_MS = 120_000;

describe("The model of exchanges, rekeys and restarts under an attacker who owns the network", () => {
  test.each([
    ["two paths", PATHS, 5_000],
    ["two rekeys", REKEYS, 50],
  ] as const)(
    "keeps every claim with %s",
    (_name, bounds, least) => {
      const { states, broken } = explore(DESIGN, bounds, ["psk"]);
      expect(broken).toBeUndefined();
      expect(states).toBeGreaterThan(least);
    },
    TIMEOUT_MS,
  );

  test.each([["sI"], ["sR"]])(
    "keeps the claims of the end whose own private key %s is known",
    (known) => {
      expect(explore(DESIGN, { ...PATHS, restarts: 0 }, [known, "psk"]).broken).toBeUndefined();
    },
    TIMEOUT_MS,
  );

  const measures: readonly (readonly [measure: keyof Design, bounds: Bounds, claim: RegExp])[] = [
    ["respondsWithEphemeral", PATHS, /follow from the long-lived ones/],
    ["remembersAttempts", PATHS, /answered twice/],
    ["bindsPath", PATHS, /another path or epoch/],
    ["bindsEpoch", REKEYS, /another path or epoch/],
    ["checksIdentity", PATHS, /knows the keys|alone with its picture/],
  ];
  test.each(measures)(
    "finds the attack on a design without %s",
    (measure, bounds, claim) => {
      const { broken } = explore({ ...DESIGN, [measure]: false }, bounds, ["psk"]);
      expect(broken?.claim).toMatch(claim);
      expect(broken?.steps.length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
