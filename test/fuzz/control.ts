/** Requests to the control socket: JSON, nearly JSON, and noise. */
import {
  AloneRequest,
  LinkRequest,
  PingRequest,
  parseParameters,
  parseRequest,
  SpeedTestRequest,
} from "../../src/daemon/control/requests.ts";
import { mutate, noise } from "./mutate.ts";
import { check, type Target } from "./target.ts";

const SEEDS = [
  '{"command":"show"}',
  '{"command":"show","version":1}',
  '{"command":"show","version":2}',
  '{"command":"link","link":"lte","action":"down"}',
  '{"command":"link","link":"lte","action":"metric","metric":10}',
  '{"command":"ping","wait":500}',
  '{"command":"speedtest","seconds":20}',
  '{"command":"alone","link":"lte","seconds":9}',
  '{"command":"__proto__"}',
  '{"command":{"a":[1,2,{"command":"down"}]}}',
  '["command","down"]',
  '{"command":"\\u0000\\ud800"}',
  "null",
].map((text) => new TextEncoder().encode(text));

/** Returns what `act` gives; undefined when it refuses with an error for a person, which must be nothing but that. */
function unlessRefused<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) return undefined;
    throw error;
  }
}

export const CONTROL: Target = {
  draw: (random) => (random.chance(0.9) ? mutate(random, SEEDS) : noise(random, 5_000)),
  start: () => (_random, input) => {
    const line = new TextDecoder().decode(input);
    const request = unlessRefused(() => parseRequest(line));
    if (!request) return;
    check(typeof request.command === "string", "a command that is no text");
    check(line.length <= 4_096, "a request longer than any");
    for (const schema of [PingRequest, SpeedTestRequest, AloneRequest]) {
      unlessRefused(() => parseParameters(schema, request.parameters));
    }
    const link = unlessRefused(() => parseParameters(LinkRequest, request.parameters));
    check(link === undefined || ["up", "down", "metric"].includes(link.action), "a change of no kind");
  },
};
