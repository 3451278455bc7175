import { describe, expect, test } from "bun:test";
import { documentedKeys, manualPages, shellCompletion } from "../../build/manuals.ts";
import { COMMAND_NAMES } from "../../src/cli/arguments.ts";
import { HOST_KEY_NAMES, PEER_KEY_NAMES } from "../../src/config/schema.ts";

const pages = manualPages();

function page(name: string): string {
  return pages.find((one) => one.name === name)?.text ?? "";
}

/** What a formatter says of a page, and the page as it is read. */
function format(command: string[], text: string): { out: string; err: string } {
  const { stdout, stderr } = Bun.spawnSync(command, { stdin: new TextEncoder().encode(text) });
  return { out: stdout.toString(), err: stderr.toString() };
}

describe("The manual pages", () => {
  test("tell every command and every key of the configuration", () => {
    expect(pages.map(({ name }) => name)).toEqual(["netcombiner.8", "netcombiner.conf.5"]);
    for (const name of COMMAND_NAMES) expect(page("netcombiner.8")).toMatch(new RegExp(`^\\.It Cm ${name}\\b`, "m"));
    const [host, peer] = page("netcombiner.conf.5").split(".Sh SECTIONS [PEER]");
    expect(HOST_KEY_NAMES.filter((key) => !host?.includes(`.It Cm ${key} `))).toEqual([]);
    expect(PEER_KEY_NAMES.filter((key) => !peer?.includes(`.It Cm ${key} `))).toEqual([]);
  });

  test("leave no placeholder", () => {
    for (const { text } of pages) expect(text).not.toMatch(/@[A-Z]+@/);
  });

  test.skipIf(Bun.which("mandoc") === null)("are clean to mandoc, and can be read", () => {
    for (const { name, text } of pages) {
      const lint = format(["mandoc", "-T", "lint", "-W", "warning"], text);
      expect({ name, ...lint }).toEqual({ name, out: "", err: "" });
    }
    const { out } = format(["mandoc", "-T", "utf8", "-O", "width=200"], page("netcombiner.8"));
    const read = out.replaceAll(/.[\b]/g, "");
    expect(read).toContain("netcombiner show [--json] [--watch] [interface] [field]");
    expect(read).toContain("-c, --config file");
  });

  test.skipIf(Bun.which("groff") === null)("are clean to groff", () => {
    for (const { name, text } of pages) {
      const { err } = format(["groff", "-mdoc", "-ww", "-Tutf8", "-z"], text);
      expect({ name, err }).toEqual({ name, err: "" });
    }
  });
});

describe("documentedKeys", () => {
  test("joins a comment's lines, shares it among keys that follow each other, and takes the first section of a name", () => {
    const example =
      "# Of the file.\n\n[Host]\n# One\n# more.\nAa = 1\n#Bb = 2\n\n#Cc = 3\n[Peer]\n# D here.\n#Dd = 4\n\n[Peer]\n# Again.\nDd = 5\n";
    expect(documentedKeys(example)).toEqual([
      { section: "Host", key: "Aa", value: "1", comment: "One more." },
      { section: "Host", key: "Bb", value: "2", comment: "One more." },
      { section: "Host", key: "Cc", value: "3", comment: "" },
      { section: "Peer", key: "Dd", value: "4", comment: "D here." },
    ]);
  });
});

describe("shellCompletion", () => {
  test("is what the program itself prints", () => {
    expect(shellCompletion("bash")).toContain("complete -F _netcombiner netcombiner\n");
  });
});
