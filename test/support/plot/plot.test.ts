import { describe, expect, test } from "bun:test";
import { barsPicture, panelsPicture } from "./pictures.ts";
import { place, roundUp, ticksOf } from "./scale.ts";

const WORDS = {
  title: "A <b> & c",
  note: "note",
  source: "source",
  legend: [{ tone: "tunnel", text: "tunnel" }],
} as const;

/** Elements in the order they open; throws when one is not closed where it should be. */
function elementsOf(svg: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, slash, name = "", rest = ""] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
    if (slash) expect(open.pop()).toBe(name);
    else {
      seen.push(name);
      if (!rest.endsWith("/")) open.push(name);
    }
  }
  expect(open).toEqual([]);
  return seen;
}

/** Classes that elements have and the style does not know. */
function unknownClasses(svg: string): string[] {
  const used = [...svg.matchAll(/ class="([^"]+)"/g)].flatMap(([, names = ""]) => names.split(" "));
  return [...new Set(used)].filter((name) => !svg.includes(`.${name}{`) && !svg.includes(`.${name},`));
}

describe("an axis", () => {
  test("has round numbers within its ends", () => {
    const numbers = (from: number, to: number) => ticksOf({ label: "", from, to }).map(({ at }) => at);
    expect(numbers(0, 1)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
    expect(numbers(0, 36)).toEqual([0, 10, 20, 30]);
    expect(ticksOf({ label: "", from: 0, to: 1 }).map(({ text }) => text)).toContain("0.6");
    expect(ticksOf({ label: "", from: 5, to: 200, isLogarithmic: true }).map(({ at }) => at)).toEqual([
      5, 10, 20, 50, 100, 200,
    ]);
  });

  test("puts values in proportion, and what lies beyond at its ends", () => {
    const axis = { label: "", from: 0, to: 10 };
    expect([0, 5, 10, 12, -1].map((value) => place(axis, value, 100, 200))).toEqual([100, 150, 200, 200, 100]);
    expect(place({ label: "", from: 1, to: 100, isLogarithmic: true }, 10, 0, 50)).toBeCloseTo(25, 9);
  });

  test("ends at a round number", () => {
    expect([36, 100, 1.01, 0.3].map(roundUp)).toEqual([40, 100, 1.5, 0.30000000000000004]);
  });
});

describe("a picture", () => {
  const axis = { label: "share", from: 0, to: 1 };
  const groups = [
    { name: "one", bars: [{ tone: "tunnel", low: 0.4, median: 0.5, high: 0.6, text: "0.50" }], limit: 1 },
    { name: "two", bars: [{ tone: "alone", low: 0.25, median: 0.25, high: 0.25 }] },
  ] as const;

  test("of bars is well-formed, and its bars are as long as their values", () => {
    const svg = barsPicture(WORDS, axis, [{ title: "Download", groups }]);
    expect(elementsOf(svg)[0]).toBe("svg");
    expect(unknownClasses(svg)).toEqual([]);
    const [half = 0, quarter = 0] = [...svg.matchAll(/<rect class="f-[a-z]+" x="120" [^>]*width="([\d.]+)"/g)].map(
      (found) => Number(found[1]),
    );
    expect(half).toBeGreaterThan(300);
    expect(quarter).toBeCloseTo(half / 2, 0);
  });

  test("has one whisker for each bar whose quartiles differ", () => {
    const svg = barsPicture(WORDS, axis, [{ title: "Download", groups }]);
    expect(svg.match(/class="whisker"/g)?.length).toBe(1);
  });

  test("of panels draws every kind of mark, and nothing that is not a number", () => {
    const panel = {
      title: "Panel",
      x: { label: "seconds", from: 0, to: 10 },
      y: { label: "ms", from: 1, to: 1_000, isLogarithmic: true },
      marks: [
        {
          kind: "line",
          tone: "up",
          points: [
            [0, 1],
            [10, 100],
          ],
        },
        {
          kind: "area",
          tone: "up",
          points: [
            [0, 5, 1, 10],
            [10, 50, 10, 100],
          ],
        },
        { kind: "dots", tone: "down", points: [[5, 50, 40, 60]] },
        { kind: "shade", from: 2, to: 4 },
        { kind: "level", tone: "limit", y: 30 },
      ],
    } as const;
    const svg = panelsPicture(WORDS, [panel, panel, panel], 2, 150);
    const elements = elementsOf(svg);
    for (const [name, count] of [
      ["polyline", 3],
      ["polygon", 3],
      ["circle", 3],
    ] as const)
      expect(elements.filter((element) => element === name).length).toBe(count);
    expect(svg).not.toContain("NaN");
    expect(svg).not.toContain("undefined");
    expect(unknownClasses(svg)).toEqual([]);
  });

  test("escapes text and knows dark screens", () => {
    const svg = barsPicture(WORDS, axis, [{ title: "Download", groups }]);
    expect(svg).toContain("A &lt;b&gt; &amp; c");
    expect(svg).toContain("@media (prefers-color-scheme: dark)");
  });
});
