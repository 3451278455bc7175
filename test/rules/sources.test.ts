import { describe, expect, test } from "bun:test";
import { codeOnly, importsOf, sourceFiles, withoutComments } from "./sources.ts";

describe("importsOf", () => {
  const specifiers = (text: string) => importsOf(text).map((found) => found.specifier);

  test("finds every way to name a module", () => {
    const text = [
      'import { a, type B } from "./a.ts";',
      'import type { C } from "./c.ts";',
      'import * as d from "./d.ts";',
      "import {\n  e,\n  f,\n} from './e.ts';",
      'export { g } from "./g.ts";',
      'export * from "./h.ts";',
      'import "./i.ts";',
      'const j = await import("./j.ts");',
      'const k = require("./k.ts");',
    ].join("\n");
    expect(specifiers(text).sort()).toEqual("acdeghijk".split("").map((letter) => `./${letter}.ts`));
  });

  test("tells types and re-exports apart", () => {
    expect(importsOf('import type { A } from "a";')).toEqual([{ specifier: "a", isType: true, isReExport: false }]);
    expect(importsOf('export * from "a";')).toEqual([{ specifier: "a", isType: false, isReExport: true }]);
    expect(importsOf('import { type A } from "a";')).toEqual([{ specifier: "a", isType: false, isReExport: false }]);
  });

  test("ignores what is only talked about", () => {
    expect(specifiers('// import { a } from "a"\n/* import "b"; */ const from = "c";')).toEqual([]);
  });
});

describe("codeOnly", () => {
  test("drops comments, strings and regular expressions and keeps code", () => {
    const text = "a(); // Date\nb('Date', \"it's Date\"); /* Date */ c(/Date['\"]/.test(d), e / Date2 / f);";
    expect(codeOnly(text).match(/\w+/g)).toEqual(["a", "b", "c", "test", "d", "e", "Date2", "f"]);
  });

  test("keeps the code inside of a template and drops its text", () => {
    expect(codeOnly("x = `Date ${now(Date)} // ${y}`; z").match(/\w+/g)).toEqual(["x", "now", "Date", "y", "z"]);
  });

  test("takes two slashes in a string for a string", () => {
    expect(withoutComments('const a = "http://b"; c()')).toBe('const a = "http://b"; c()');
  });
});

test("sourceFiles finds this file", () => {
  expect(sourceFiles(["test"]).map((file) => file.path)).toContain("test/rules/sources.test.ts");
});
