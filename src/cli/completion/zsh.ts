/** Renders the completions for zsh, which belong into a folder of its fpath as `_netcombiner`. */
import type { CommandModel, Completion } from "./model.ts";

export function zshCompletion(start: CommandModel, commands: readonly CommandModel[]): string {
  const described = commands.map(
    ({ name, description }) => `    ${quote(`${name}:${description.replaceAll(":", "\\:")}`)}`,
  );
  return `#compdef netcombiner
# Completion of netcombiner for zsh; made by "netcombiner completion zsh".

_netcombiner_names() {
  local -a files names
  files=(/run/netcombiner/*.sock(N) /var/run/netcombiner/*.sock(N) /etc/netcombiner/*.conf(N) /usr/local/etc/netcombiner/*.conf(N))
  names=(\${(u)files:t:r})
  (( $#names )) && _describe -t interfaces interface names
}

_netcombiner_links() {
  local -a links
  links=(\${(f)"$(netcombiner show all links 2>/dev/null | cut -f 2)"})
  (( $#links )) && _describe -t links link links
}

_netcombiner_first() {
  local -a commands
  commands=(
${described.join("\n")}
  )
  _describe -t commands command commands
  _netcombiner_names
}

_netcombiner() {
  local curcontext=$curcontext state line
  _arguments -C ${specs(start)
    .map((spec) => `\\\n    ${spec}`)
    .join(" ")} \\
    '1: :_netcombiner_first' \\
    '*:: :->rest'
  [[ $state == rest ]] || return 0
  case $words[1] in
${commands.map(commandCase).join("\n")}
  esac
}

_netcombiner "$@"
`;
}

function commandCase(command: CommandModel): string {
  const words = command.words.map(({ name, isRequired, completes, choices }, i) =>
    quote(`${i + 1}:${isRequired ? "" : ":"}${escaped(name)}:${action(completes, choices)}`),
  );
  const all = [...specs(command), ...words].map((spec) => `\\\n        ${spec}`).join(" ");
  return `    ${command.name})\n      _arguments ${all}\n      ;;`;
}

/** Returns `--flag[description]:VALUE:action` for each flag and its letter. */
function specs({ flags }: CommandModel): string[] {
  const own = flags.flatMap(({ name, alias, value, description, completes, choices }) => {
    const rest = value === "" ? "" : `:${escaped(value)}:${action(completes, choices)}`;
    const spellings = [`--${name}`, ...(alias === "" ? [] : [`-${alias}`])];
    const exclusive = spellings.length > 1 ? `(${spellings.join(" ")})` : "";
    return spellings.map((spelling) => quote(`${exclusive}${spelling}[${escaped(description)}]${rest}`));
  });
  return [...own, quote("(-h --help)--help[show how it is used]"), quote("(-h --help)-h[show how it is used]")];
}

function action(completes: Completion, choices: readonly string[]): string {
  if (completes === "file") return "_files";
  if (completes === "interface") return "_netcombiner_names";
  if (completes === "link") return "_netcombiner_links";
  return completes === "choices" ? `(${choices.join(" ")})` : " ";
}

function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
