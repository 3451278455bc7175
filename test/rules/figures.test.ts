import { describe, expect, test } from "bun:test";
import { constantIn, constantsOf, figureFault, figuresOf, looseFigures } from "./figures.ts";

const SOURCE = `
const SHORTEST: Micros = 80_000;
export const LIMITS: KeyLimits = {
  after: 120 * MICROS_PER_SECOND,
  // A reason; with a stop.
  count: 2 ** 22,
};
const WAITS: readonly Micros[] = [250_000, SHORTEST];
const PART = 1 / 16;
const MADE = make();
`;

describe("figures of documents", () => {
  test("are found with their constants, wherever a line ends", () => {
    const text = "at least [80\nms][outlook.SHORTEST], as `[9 ms][a.B]`\n\n[outlook.SHORTEST]: ../src/outlook.ts\n";
    expect(figuresOf(text)).toEqual([{ text: "80 ms", label: "outlook.SHORTEST" }]);
    expect([...constantsOf("docs/a.md", text)]).toEqual([["outlook.SHORTEST", "src/outlook.ts"]]);
  });

  test("are looked up in the source, by member where they have some", () => {
    expect(constantIn(SOURCE, "SHORTEST")).toBe(80_000);
    expect(constantIn(SOURCE, "LIMITS", ["count"])).toBe(2 ** 22);
    expect(constantIn(SOURCE, "LIMITS", ["after"])).toBe(120_000_000);
    expect(constantIn(SOURCE, "WAITS", ["1"])).toBe(80_000);
    expect(constantIn(SOURCE, "PART")).toBe(1 / 16);
    expect(constantIn(SOURCE, "MADE")).toBeUndefined();
    expect(constantIn(SOURCE, "GONE")).toBeUndefined();
  });

  test("are faulty when they say anything else than the source", () => {
    const fault = (text: string, label: string, file = "src/clock.ts") => figureFault({ text, label }, file);
    expect(fault("1000", "clock.MICROS_PER_MILLI")).toBeUndefined();
    expect(fault("1 ms", "clock.MICROS_PER_MILLI")).toBeUndefined();
    expect(fault("one second", "clock.MICROS_PER_SECOND")).toContain("says 1000000");
    expect(fault("2 ms", "clock.MICROS_PER_MILLI")).toContain("says 1000");
    expect(fault("1 ms", "clock.MICROS")).toContain("no such constant");
    expect(fault("1 ms", "clock.MICROS_PER_MILLI", "src/drops.ts")).toContain("another file");
    expect(figureFault({ text: "1 ms", label: "clock.MICROS_PER_MILLI" }, undefined)).toContain("does not say where");
  });

  test("are loose where no constant holds them", () => {
    const text = "after 0.25 s and [50 ms][a.B], 16 384 bytes, RFC 8289, 5 links\n\n    1.5 s of code\n";
    expect(looseFigures(text)).toEqual(["0.25 s", "16 384 bytes"]);
  });
});
