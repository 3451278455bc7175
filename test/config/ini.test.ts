import { describe, expect, test } from "bun:test";
import { nearest } from "../../src/config/fault.ts";
import { parseIni } from "../../src/config/ini.ts";

describe("parseIni", () => {
  test("keeps repeated sections and keys apart, each with its line", () => {
    expect(parseIni("[A]\nk = 1\nk = 2\n\n[A]\nk=3")).toEqual({
      faults: [],
      sections: [
        {
          name: "A",
          line: 1,
          entries: [
            { key: "k", value: "1", line: 2 },
            { key: "k", value: "2", line: 3 },
          ],
        },
        { name: "A", line: 5, entries: [{ key: "k", value: "3", line: 6 }] },
      ],
    });
  });

  test("takes # and ; for a comment only where one may begin", () => {
    const [section] = parseIni("[A] ; x\n# k = 0\nk = a#b;c # d\nl = #e\nm = =\n").sections;
    expect(section?.entries.map((entry) => entry.value)).toEqual(["a#b;c", "", "="]);
  });

  test("never throws and always ends, whatever the bytes", () => {
    const seed = Number(process.env.NC_SEED ?? 20261123);
    let state = seed >>> 0 || 1;
    const next = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    const alphabet = "[]=#; \t\r\n\0\uFEFF\u2028AbHostPeer0123é";
    for (let round = 0; round < 500; round++) {
      const text = Array.from({ length: next() % 200 }, () => alphabet[next() % alphabet.length]).join("");
      const { sections, faults } = parseIni(text);
      const lines = text.split(/\r?\n/).length;
      const places = [...faults, ...sections.flatMap((section) => [section, ...section.entries])].map(
        (place) => place.line,
      );
      if (places.some((line) => line < 1 || line > lines)) throw new Error(`line out of range, NC_SEED=${seed}`);
    }
  });
});

describe("nearest", () => {
  test("finds the slip of the pen and nothing farther", () => {
    const names = ["RemoteHost", "RemotePort", "Metric", "MTU"];
    expect(nearest("remotport", names)).toBe("RemotePort");
    expect(nearest("Metrik", names)).toBe("Metric");
    expect(nearest("MUT", names)).toBe("MTU");
    expect(nearest("Endpoint", names)).toBeUndefined();
    expect(nearest("x".repeat(1000), names)).toBeUndefined();
  });
});
