import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "../../src/host/replace-file.ts";

describe("replaceFile", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nc-replace-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("makes a file of the given mode, or replaces the one that is there, and leaves nothing else", () => {
    const path = join(folder, "metrics.prom");
    replaceFile(path, "old", 0o600);
    replaceFile(path, "new", 0o600);
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["metrics.prom"]);
  });

  test("follows no symbolic link that somebody planted at the name it writes to first", () => {
    const [path, precious] = [join(folder, "metrics.prom"), join(folder, "precious")];
    writeFileSync(precious, "root's");
    symlinkSync(precious, join(folder, ".metrics.prom.guessed"));
    expect(() => replaceFile(path, "new", 0o600, "guessed")).toThrow("EEXIST");
    expect(readFileSync(precious, "utf8")).toBe("root's");
    expect(existsSync(path)).toBe(false);
  });

  test("writes to a name that nobody can plant", () => {
    const names = new Set<string>();
    const path = join(folder, "target");
    // A folder cannot be replaced by a file, so that each try fails after its name was used.
    mkdirSync(path);
    for (let i = 0; i < 3; i++) {
      try {
        replaceFile(path, "", 0o600);
      } catch (error) {
        names.add(String((error as { path?: string }).path));
      }
    }
    expect(names.size).toBe(3);
    expect(readdirSync(folder)).toEqual(["target"]);
  });

  test("replaces a symbolic link itself, not the file it leads to", () => {
    const [path, precious] = [join(folder, "metrics.prom"), join(folder, "precious")];
    writeFileSync(precious, "root's");
    symlinkSync(precious, path);
    replaceFile(path, "new", 0o644);
    expect([readFileSync(path, "utf8"), readFileSync(precious, "utf8")]).toEqual(["new", "root's"]);
  });
});
