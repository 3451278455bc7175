/** Renders the completions for fish. */
import type { CommandModel, Completion } from "./model.ts";

export function fishCompletion(start: CommandModel, commands: readonly CommandModel[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# Completion of netcombiner for fish; made by "netcombiner completion fish".

function __netcombiner_names
    for file in /run/netcombiner/*.sock /var/run/netcombiner/*.sock /etc/netcombiner/*.conf /usr/local/etc/netcombiner/*.conf
        string replace -r '.*/(.*)\\..*' '$1' $file
    end | sort -u
end

function __netcombiner_links
    netcombiner show all links 2>/dev/null | cut -f 2
end

# True if the words so far are the command and the given number of arguments.
function __netcombiner_at
    set -l words (commandline -opc | string match -v -- '-*')
    test (count $words) -eq (math $argv[2] + 2); and test "$words[2]" = $argv[1]
end

function __netcombiner_first
    test (count (commandline -opc | string match -v -- '-*')) -eq 1
end

complete -c netcombiner -f
complete -c netcombiner -n __netcombiner_first -a '(__netcombiner_names)' -d interface
${commands.map(({ name, description }) => `complete -c netcombiner -n __netcombiner_first -a ${name} -d ${quote(description)}`).join("\n")}
complete -c netcombiner -s h -l help -d 'show how it is used'
${flagLines(start, `not __fish_seen_subcommand_from ${names}`)}
${commands.map((command) => `${flagLines(command, `__fish_seen_subcommand_from ${command.name}`)}${wordLines(command)}`).join("")}`;
}

function flagLines({ flags }: CommandModel, condition: string): string {
  return flags
    .map(({ name, alias, value, description, completes, choices }) => {
      const letter = alias === "" ? "" : ` -s ${alias}`;
      const given = value === "" ? "" : ` -r${candidates(completes, choices)}`;
      return `complete -c netcombiner -n ${quote(condition)}${letter} -l ${name}${given} -d ${quote(description)}\n`;
    })
    .join("");
}

function wordLines({ name, words }: CommandModel): string {
  return words
    .flatMap((word, i) =>
      word.completes === "nothing"
        ? []
        : [
            `complete -c netcombiner -n ${quote(`__netcombiner_at ${name} ${i}`)}${candidates(word.completes, word.choices)}\n`,
          ],
    )
    .join("");
}

function candidates(completes: Completion, choices: readonly string[]): string {
  if (completes === "file") return " -F";
  if (completes === "interface") return " -a '(__netcombiner_names)'";
  if (completes === "link") return " -a '(__netcombiner_links)'";
  return completes === "choices" ? ` -a ${quote(choices.join(" "))}` : "";
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
