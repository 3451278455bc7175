/**
 * The requests of the control socket: `{"command":"...","version":1,...}`. Only root may connect, but root may err, so every request is
 * checked before anything is done.
 */
import * as v from "valibot";

/** Version of the protocol: it grows when a request or an answer changes its meaning, not when one is added. A request without it is of version 1. */
export const CONTROL_VERSION = 1;
export const REQUEST_SIZE_MAX = 4096;

/** The fields of a request besides command and version. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface Request {
  readonly command: string;
  readonly parameters: Parameters;
}

/** Returns undefined for text that is not a request. @throws Error for a request of another version */
export function parseRequest(line: string): Request | undefined {
  if (line.length > REQUEST_SIZE_MAX) return undefined;
  const result = v.safeParse(RequestSchema, parseJson(line));
  if (!result.success) return undefined;
  const { command, version, ...parameters } = result.output;
  if (version !== CONTROL_VERSION) {
    throw new Error(`the tunnel has version ${CONTROL_VERSION} of the control protocol, not ${version}: restart it`);
  }
  return { command, parameters };
}

const RequestSchema = v.looseObject({
  command: v.string(),
  version: v.optional(v.pipe(v.number(), v.integer()), CONTROL_VERSION),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const linkName = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export const LinkRequest = v.variant("action", [
  v.strictObject({ link: linkName, action: v.picklist(["up", "down"]) }),
  v.strictObject({
    link: linkName,
    action: v.literal("metric"),
    metric: v.union([v.literal("default"), whole(0, 65_535)]),
  }),
]);

function whole(min: number, max: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
}

/** `wait` is the time for the answers, milliseconds. */
export const PingRequest = v.strictObject({ wait: v.optional(whole(10, 10_000), 2_000) });

/** `seconds` is the time of all transfers together; it has 8 bits on the wire. */
export const SpeedTestRequest = v.strictObject({ seconds: whole(1, 255) });

/** Without `link`, all links carry packets again. */
export const AloneRequest = v.strictObject({
  link: v.optional(linkName),
  seconds: v.optional(whole(1, 60), 1),
});

/** Returns the parameters, parsed by `schema`. @throws Error that names the first one that is wrong */
export function parseParameters<S extends v.GenericSchema>(schema: S, parameters: Parameters): v.InferOutput<S> {
  const result = v.safeParse(schema, parameters);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`${v.getDotPath(issue) ?? "request"}: ${issue.message}`);
}
