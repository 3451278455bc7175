// Doc comments that are no sentence: a clause without its main verb ("What the loss costs."), or a function whose comment
// does not begin with what the function does. A rule of thumb over text, so it may err; a comment it minds wrongly is
// mostly better for being written anew.

import type { SourceFile } from "./sources.ts";

/** What a comment is about decides how it has to begin. */
export type CommentKind = "header" | "function" | "other";

export interface DocComment {
  readonly path: string;
  readonly line: number;
  readonly kind: CommentKind;
  /** The prose before the first tag, on one line. */
  readonly text: string;
}

const BLOCK = /^([ \t]*)\/\*\*([\s\S]*?)\*\/[ \t]*(?:\n([^\n]*)|([^\n]+))?/gm;
const HEADER = /^(?:#![^\n]*\n)?(?:(\/\*\*[\s\S]*?\*\/)|((?:\/\/[^\n]*\n)+))/;

/** Returns every doc comment of `file`, and the comment at its top whatever its form. */
export function docComments(file: SourceFile): DocComment[] {
  const header = HEADER.exec(file.text);
  const isBlockHeader = header?.[1] !== undefined && isHeader(file.text.slice(header[0].length));
  const found: DocComment[] = [];
  if (header?.[2] !== undefined) {
    found.push({
      path: file.path,
      line: 1,
      kind: "header",
      text: prose(header[2].replace(/^\/\/ ?(@hot|biome-)[^\n]*/gm, "//")),
    });
  }
  for (const match of file.text.matchAll(BLOCK)) {
    const first = isBlockHeader && match.index === header?.index;
    const kind = first ? "header" : kindOf(match[3] ?? match[4] ?? "");
    const line = file.text.slice(0, match.index).split("\n").length;
    found.push({ path: file.path, line, kind, text: prose(match[2] as string) });
  }
  return found.filter((comment) => comment.text !== "");
}

/** True if what follows the first comment of a file shows that the comment is about the file. */
function isHeader(rest: string): boolean {
  return /^\s*(import|\/\*\*|\/\/)|^\n\n/.test(rest);
}

const FUNCTION =
  /^\s*(export\s+)?(async\s+)?function\b|^\s*((static|async|override|abstract|private|protected|public)\s+)*#?(?!if\b|for\b|while\b|switch\b|get\b|set\b|constructor\b)\w+(<[^>]*>)?\(|^\s*(export\s+)?const\s+\w+\s*=\s*(async\s*)?(\([^)]*\)|\w+)(:\s*[^=]+)?\s*=>/;

function kindOf(declaration: string): CommentKind {
  return FUNCTION.test(declaration) ? "function" : "other";
}

function prose(text: string): string {
  const words = text
    .replace(/^[ \t]*(\*|\/\/) ?/gm, " ")
    .replace(/\s+/g, " ")
    .trim();
  return words.split(/(?:^| )@\w+\b/)[0]?.trim() ?? "";
}

/** Words that open a clause which is a part of a sentence whatever follows. */
const CLAUSE = /^(What|Whether|How|Who(se|m)?|Which|That|Of|So (long|many|much|often|far|few))\b/;
/** Words that open a clause which a main clause may follow, after a comma or a colon. */
const SUBCLAUSE = /^(When|Where|As|With|Without|Until|Till|If|Unless|Since|While|Because|After|Before|For)\b/;

/** Plural nouns with which comments of functions began; a verb in the third person ends in s as well. */
const PLURAL =
  /^(Bytes|Datagrams|Packets|Flows|Paths|Links|Messages|Nanoseconds|Microseconds|Milliseconds|Seconds|Addresses|Sockets|Options|Streams|Words|Lines|Folders|Bits|Flags|Networks|Endpoints|Files|Arguments|Values|Sections|Prefixes|Routes|Colours|Ports|Keys|Rates|Samples|Numbers|Others|Errors|Fields|Interfaces|Events|Tests|Entries|Ones|Names of|Commands|Suites|Sums|Rows|Columns|Findings|Checks of|Steps|Rules|Portals|Holes|Slots|Frames|Fragments|This|Is|Its|Was|Less|As|Us)\b/;
const VERB = /^((Also|Never|Only|Always|First|Then|Cheaply|Quietly|Safely) (?!a\b|the\b))?[A-Z]?[a-z-]+s\b/;
const OPENING = /^(True|False|Called)\b/;
/** A note on a function that says why is as good as one that says what. */
const REASON = /, so |\b(so that|since|because|otherwise|must|cannot|would)\b/;

/** Says why `comment` is no sentence as the project wants it; undefined when it is one. */
export function commentFault({ kind, text }: Pick<DocComment, "kind" | "text">): string | undefined {
  const first = text.split(/(?<=[^.][.!?])(?:\s|$)/)[0] as string;
  if (CLAUSE.test(first)) return "a clause without a verb";
  if (SUBCLAUSE.test(first) && !/[,:;]|\b(is|are)\b.*\b(is|are)\b/.test(first)) return "a clause without a verb";
  if (kind !== "function" || OPENING.test(text) || REASON.test(text)) return undefined;
  // A verb that is a noun's plural as well is told by the one that follows it: "Numbers and seals".
  const isPlural = PLURAL.test(text) && !/^\w+s and [a-z]+s \S/.test(text);
  return VERB.test(text) && !isPlural ? undefined : "a function begins with what it does";
}
