/**
 * Parses INI as the dissertation extends it (section 3.1.2): sections and keys may repeat. Their meaning is not known here.
 *
 *     [Section]
 *     Key = value        # a comment
 *     ; a comment
 *
 * A comment begins with `#` or `;` at the start of a line or after white space. There is no quoting and no continuation.
 * Every value keeps its line, and faults are returned, not thrown. They never quote the line, since it may hold a secret.
 */
import type { ConfigFault } from "./fault.ts";

export interface IniEntry {
  readonly key: string;
  readonly value: string;
  /** Comment behind the value, from `#` or `;` on. */
  readonly comment?: string;
  /** Line of the file, from 1. */
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
}

export interface IniDocument {
  readonly sections: readonly IniSection[];
  readonly faults: readonly ConfigFault[];
}

// Names are short, so that a secret pasted onto a line of its own is not taken for a name and printed.
const SECTION = /^\[\s*([A-Za-z][A-Za-z0-9_-]{0,23})\s*\]$/;
const ENTRY = /^([A-Za-z][A-Za-z0-9_-]{0,23})\s*=\s*(.*)$/;
const COMMENT = /(^|\s)[#;].*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\0-\x08\x0b-\x1f\x7f]/;

/** Parses `text`, whose lines end with LF or CRLF. */
export function parseIni(text: string): IniDocument {
  const sections: { name: string; line: number; entries: IniEntry[] }[] = [];
  const faults: ConfigFault[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    const content = raw.replace(COMMENT, "").trim();
    if (content === "") continue;
    const section = SECTION.exec(content);
    const entry = ENTRY.exec(content);
    const current = sections.at(-1);
    if (CONTROL.test(content)) faults.push({ line, text: "syntax: the line has a control character; remove it" });
    else if (section) sections.push({ name: section[1] as string, line, entries: [] });
    else if (!entry) faults.push({ line, text: 'syntax: expected "[Section]" or "Key = value"' });
    else if (!current)
      faults.push({ line, text: "syntax: a key before the first section; put it below [Host] or [Peer]" });
    else {
      const comment = COMMENT.exec(raw)?.[0].trim();
      const rest = comment === undefined ? {} : { comment };
      current.entries.push({ key: entry[1] as string, value: entry[2] as string, line, ...rest });
    }
  }
  return { sections, faults };
}
