/** Requests to the control socket: JSON, nearly JSON, and noise. */
import { commandOf } from "../../src/daemon/control.ts";
import { mutate, noise } from "./mutate.ts";
import { check, type Target } from "./target.ts";

const SEEDS = [
  '{"command":"show"}',
  '{"command":"__proto__"}',
  '{"command":{"a":[1,2,{"command":"down"}]}}',
  '["command","down"]',
  '{"command":"\\u0000\\ud800"}',
  "null",
].map((text) => new TextEncoder().encode(text));

export const CONTROL: Target = {
  draw: (random) => (random.chance(0.9) ? mutate(random, SEEDS) : noise(random, 5_000)),
  start: () => (_random, input) => {
    const line = new TextDecoder().decode(input);
    const command = commandOf(line);
    check(command === undefined || typeof command === "string", "a command that is no text");
    check(command === undefined || line.length <= 4_096, "a request longer than any");
  },
};
