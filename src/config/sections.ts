/**
 * Turns the sections of a file into typed `[Host]` and `[Peer]` sections: checks names, repetitions and values of keys, and the rules
 * between sections. Finds every fault in one pass.
 */
import * as v from "valibot";
import { clashFaults } from "./clashes.ts";
import { type ConfigFault, invalidText, unknownText } from "./fault.ts";
import type { IniDocument, IniEntry, IniSection } from "./ini.ts";
import {
  HOST_KEY_NAMES,
  HostSchema,
  type HostSection,
  LIST_KEYS,
  PEER_KEY_NAMES,
  PeerSchema,
  type PeerSection,
  SECRET_KEYS,
} from "./schema.ts";
import { COMMAND_KEYS } from "./system-schema.ts";

const SECTION_NAMES = ["Host", "Peer"] as const;

/** One section with its typed keys. */
export interface TypedSection<T> {
  /** `Host`, or `Peer[1]` counted from 0. */
  readonly place: string;
  readonly line: number;
  readonly keys: T;
  /** The line of each key that was given, by canonical name. */
  readonly lines: ReadonlyMap<string, number>;
}

export interface Sections {
  readonly host: TypedSection<HostSection> | undefined;
  /** Sections without a fault, each with its place in the file. */
  readonly peers: readonly TypedSection<PeerSection>[];
  readonly faults: readonly ConfigFault[];
}

export function readSections(document: IniDocument): Sections {
  const faults: ConfigFault[] = [...document.faults];
  let host: TypedSection<HostSection> | undefined;
  let hostLine: number | undefined;
  const peers: TypedSection<PeerSection>[] = [];
  let peerCount = 0;
  for (const section of document.sections) {
    const name = SECTION_NAMES.find((known) => known.toLowerCase() === section.name.toLowerCase());
    if (name === "Peer") {
      const peer = readSection(section, `Peer[${peerCount++}]`, PEER_KEY_NAMES, PeerSchema, faults);
      if (peer) peers.push(peer);
    } else if (name === undefined) {
      faults.push({ line: section.line, text: unknownText(`[${section.name}]`, section.name, SECTION_NAMES) });
    } else if (hostLine !== undefined) {
      faults.push({ line: section.line, text: `Host given twice: the first is on line ${hostLine}; merge them` });
    } else {
      hostLine = section.line;
      host = readSection(section, "Host", HOST_KEY_NAMES, HostSchema, faults);
    }
  }
  if (hostLine === undefined)
    faults.push({ line: 0, text: "Host missing: expected a [Host] section with the key and the addresses" });
  if (peerCount === 0)
    faults.push({ line: 0, text: "Peer missing: expected a [Peer] section for each link, at least one" });
  faults.push(...clashFaults(peers));
  return { host, peers, faults };
}

type SectionSchema = typeof HostSchema | typeof PeerSchema;

function readSection<S extends SectionSchema>(
  section: IniSection,
  place: string,
  known: readonly string[],
  schema: S,
  faults: ConfigFault[],
): TypedSection<v.InferOutput<S>> | undefined {
  const before = faults.length;
  const given = entriesByKey(section, place, known, faults);
  const texts = Object.fromEntries([...given].map(([name, entry]) => [name, entry.value]));
  const result = v.safeParse(schema, texts);
  const reported = new Set<string>();
  for (const issue of result.issues ?? []) {
    const name = v.getDotPath(issue) ?? "";
    // A value that is wrong in itself is reported once, not again by every rule it breaks.
    if (reported.has(name)) continue;
    reported.add(name);
    faults.push(issueFault(place, section.line, name, given.get(name), issue.message));
  }
  if (!result.success || faults.length > before) return undefined;
  const lines = new Map([...given].map(([name, entry]) => [name, entry.line]));
  return { place, line: section.line, keys: result.output, lines };
}

function issueFault(place: string, line: number, name: string, entry: IniEntry | undefined, rule: string): ConfigFault {
  if (!entry) return { line, text: `${place}.${name} missing: ${rule}` };
  const given = SECRET_KEYS.has(name) && entry.value !== "" ? "(hidden)" : entry.value;
  return { line: entry.line, text: invalidText(`${place}.${name}`, rule, given) };
}

/** Returns the entries of a section by canonical key name; those of a list key as one. */
function entriesByKey(section: IniSection, place: string, known: readonly string[], faults: ConfigFault[]) {
  const given = new Map<string, IniEntry>();
  for (const entry of section.entries) {
    const name = known.find((key) => key.toLowerCase() === entry.key.toLowerCase());
    const first = name === undefined ? undefined : given.get(name);
    if (isCutCommand(name, entry)) {
      const rule = '";" after white space begins a comment, so put each command on a line of its own';
      faults.push({ line: entry.line, text: invalidText(`${place}.${name}`, rule, `${entry.value} ${entry.comment}`) });
    }
    if (name === undefined) {
      faults.push({ line: entry.line, text: unknownText(`${place}.${entry.key}`, entry.key, known) });
    } else if (!first) {
      given.set(name, entry);
    } else if (LIST_KEYS.has(name)) {
      given.set(name, { ...first, value: `${first.value}${LIST_KEYS.get(name)}${entry.value}` });
    } else {
      faults.push({
        line: entry.line,
        text: `${place}.${name} given twice: the first is on line ${first.line}; keep one`,
      });
    }
  }
  return given;
}

/** True if a command lost what follows a `;`, which was probably meant for the shell. */
function isCutCommand(name: string | undefined, { comment }: IniEntry): boolean {
  return comment?.startsWith(";") === true && COMMAND_KEYS.some((key) => key === name);
}
