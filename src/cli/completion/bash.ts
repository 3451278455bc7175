/** Renders the completions for bash, which do not need the package bash-completion. */
import type { CommandModel, Completion, Flag } from "./model.ts";

export function bashCompletion(start: CommandModel, commands: readonly CommandModel[]): string {
  const all = [start, ...commands];
  const names = commands.map(({ name }) => name).join(" ");
  return `# Completion of netcombiner for bash; made by "netcombiner completion bash".

_netcombiner_names() {
  local file
  for file in /run/netcombiner/*.sock /var/run/netcombiner/*.sock /etc/netcombiner/*.conf /usr/local/etc/netcombiner/*.conf; do
    [[ -e $file ]] || continue
    file=\${file##*/}
    printf '%s\\n' "\${file%.*}"
  done
}

_netcombiner_links() {
  netcombiner show all links 2>/dev/null | cut -f 2
}

_netcombiner() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command='' at=0 i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${valueFlags(all)}) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command && $at -eq 0 && " ${names} " == *" $word "* ]]; then
          command=$word
        else
          ((at++))
        fi
        ;;
    esac
  done
  local words=''
  case $command:$before in
${flagValues(all)}
  esac
  if [[ $current == -* ]]; then
    case $command in
${all.map((command) => `      ${command.name || "''"}) words='${flagWords(command)}' ;;`).join("\n")}
    esac
  else
    case $command:$at in
      :0) words="${names} $(_netcombiner_names)" ;;
${commands.flatMap((command) => command.words.flatMap((word, i) => candidates(`${command.name}:${i}`, word))).join("\n")}
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _netcombiner netcombiner
`;
}

function flagWords({ flags }: CommandModel): string {
  return [...flags.flatMap(({ name, alias }) => [`--${name}`, ...(alias === "" ? [] : [`-${alias}`])]), "--help"].join(
    " ",
  );
}

function valueFlags(all: readonly CommandModel[]): string {
  const flags = all.flatMap((command) => command.flags).filter((flag) => flag.value !== "");
  return [...new Set(flags.flatMap(spellings))].join(" | ") || "--";
}

function spellings({ name, alias }: Flag): string[] {
  return [`--${name}`, ...(alias === "" ? [] : [`-${alias}`])];
}

/** Returns the cases for values of flags, one for all flags whose values are completed alike. */
function flagValues(all: readonly CommandModel[]): string {
  const patterns = new Map<string, string[]>();
  for (const { name, flags } of all) {
    for (const flag of flags.filter(({ value }) => value !== "")) {
      const answer = flag.completes === "nothing" ? "" : `      ${reply(flag.completes, flag.choices)}\n`;
      const known = patterns.get(answer) ?? [];
      patterns.set(answer, [...known, ...spellings(flag).map((spelling) => `${name}:${spelling}`)]);
    }
  }
  return Array.from(patterns, ([answer, places]) => `    ${places.join(" | ")})\n${answer}      return\n      ;;`).join(
    "\n",
  );
}

function reply(completes: Completion, choices: readonly string[]): string {
  if (completes === "file") return `mapfile -t COMPREPLY < <(compgen -f -- "$current")`;
  return `mapfile -t COMPREPLY < <(compgen -W "${wordsOf(completes, choices)}" -- "$current")`;
}

function candidates(
  place: string,
  { completes, choices }: { completes: Completion; choices: readonly string[] },
): string[] {
  if (completes === "nothing") return [];
  if (completes === "file")
    return [`      ${place})\n        ${reply(completes, choices)}\n        return\n        ;;`];
  return [`      ${place}) words="${wordsOf(completes, choices)}" ;;`];
}

function wordsOf(completes: Completion, choices: readonly string[]): string {
  if (completes === "interface") return "$(_netcombiner_names)";
  return completes === "link" ? "$(_netcombiner_links)" : choices.join(" ");
}
