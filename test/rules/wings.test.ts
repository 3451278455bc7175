import { describe, expect, test } from "bun:test";
import { sourceFiles } from "./sources.ts";
import { pictureOf, wingFaults, wingOf } from "./wings.ts";

const portal = sourceFiles(["src/portal"]);

describe("the wings of the portal", () => {
  test("know only what they are allowed to", () => {
    expect(portal.length).toBeGreaterThan(0);
    expect(portal.flatMap(wingFaults)).toEqual([]);
  });

  test("lead back to themselves in no way", () => {
    expect(pictureOf(portal, wingOf).inCycles).toEqual([]);
  });

  test.each([
    ["src/portal/sending/a.ts", "../receiving/b.ts", "sending must not know receiving"],
    ["src/portal/context.ts", "./links/b.ts", "common must not know links"],
    ["src/portal/links/a.ts", "../portal.ts", "links must not know portal"],
    ["src/portal/cellar/a.ts", "../context.ts", "belongs to no wing"],
  ])("complain of %s with %s", (path, specifier, complaint) => {
    expect(wingFaults({ path, text: `import type { A } from "${specifier}";` }).join()).toContain(complaint);
  });

  test("are counted with their arrows", () => {
    const files = [
      { path: "a", text: 'import { b } from "./b";\nimport { c } from "./c";' },
      { path: "b", text: 'import type { c } from "./c";' },
      { path: "c", text: 'import { b } from "./b";' },
    ];
    expect(pictureOf(files, (path) => path)).toEqual({ boxes: 3, arrows: 4, inCycles: ["b", "c"] });
  });
});
