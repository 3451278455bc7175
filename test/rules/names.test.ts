import { expect, test } from "bun:test";
import { filesNamedAlike, typesDeclaredTwice } from "./names.ts";
import { sourceFiles } from "./sources.ts";

test("a type that another file declares as well is found, exported there or not", () => {
  const files = [
    { path: "src/a/one.ts", text: "export interface Round {\n}\ntype Own = string;" },
    { path: "src/b/two.ts", text: "interface Round {\n}\ntype Own = number;" },
  ];
  expect(typesDeclaredTwice(files)).toEqual(["Round: src/a/one.ts, src/b/two.ts"]);
});

test("files of one name in two rooms are found, except where systems differ", () => {
  const paths = ["src/a/report.ts", "src/b/report.ts", "src/host/linux/plan.ts", "src/host/freebsd/plan.ts"];
  expect(filesNamedAlike(paths.map((path) => ({ path, text: "" })))).toEqual([
    "report.ts: src/a/report.ts, src/b/report.ts",
  ]);
});

test("no type of the program has the name of another", () => {
  expect(typesDeclaredTwice(sourceFiles(["src", "ffi"]))).toEqual([]);
});

test("no two files have one name, but for a command and what it is about", () => {
  const files = sourceFiles(["src", "ffi"]).filter(({ path }) => !path.startsWith("src/cli/"));
  expect(filesNamedAlike(files)).toEqual([]);
});
