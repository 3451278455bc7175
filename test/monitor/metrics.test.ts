import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { METRIC_NAMES, renderMetrics } from "../../src/monitor/metrics.ts";
import { REPORT, withLink } from "../support/report.ts";

const ROOT = join(import.meta.dir, "../..");
/** The grammar of the text format 0.0.4, one line of it. */
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

interface ParsedFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: Map<string, number>;
}

/** Reads the format strictly: HELP, TYPE, then the samples of that family, each series once. */
function parse(text: string): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  let current = "";
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    if (help) {
      current = help[1] as string;
      expect(families.has(current)).toBe(false);
      const type = /^# TYPE (\S+) (counter|gauge)$/.exec(lines[++i] as string);
      expect(type?.[1]).toBe(current);
      families.set(current, { help: help[2] as string, type: type?.[2] as string, samples: new Map() });
      continue;
    }
    const sample = SAMPLE.exec(line);
    expect({ line, name: sample?.[1] }).toEqual({ line, name: current });
    const { samples } = families.get(current) as ParsedFamily;
    const series = sample?.[2] as string;
    expect({ line, isNew: !samples.has(series) }).toEqual({ line, isNew: true });
    samples.set(series, Number(sample?.[3]));
  }
  return families;
}

describe("renderMetrics", () => {
  test("is valid, for one tunnel and for several", () => {
    for (const reports of [[REPORT], [REPORT, { ...REPORT, interface: "nc1" }]]) {
      const families = parse(renderMetrics(reports));
      expect([...families.keys()]).toEqual([...METRIC_NAMES]);
      for (const { samples } of families.values()) expect(samples.size).toBeGreaterThan(0);
    }
    expect(renderMetrics([])).toBe("");
  });

  test("follows the naming conventions: counters end in _total, help is a sentence", () => {
    for (const [name, { type, help }] of parse(renderMetrics([REPORT]))) {
      expect({ name, isCounter: type === "counter" }).toEqual({ name, isCounter: name.endsWith("_total") });
      expect(name).not.toMatch(/milli|micro|kilo|_ms|bits|percent/);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });

  test("has the values of the report in base units", () => {
    const families = parse(renderMetrics([REPORT]));
    const value = (name: string, labels: string) => families.get(`netcombiner_${name}`)?.samples.get(labels);
    const path = 'interface="nc0",link="fibre",path="fibre"';
    expect(value("info", 'interface="nc0",version="0.1.0",security="auto"')).toBe(1);
    expect(value("path_rtt_seconds", path)).toBe(0.0121);
    expect(value("path_bytes_total", `${path},direction="inbound"`)).toBe(2_800_000);
    expect(value("path_up", path)).toBe(1);
    expect(value("link_up", 'interface="nc0",link="lte"')).toBe(0);
    expect(value("dropped_total", 'interface="nc0",reason="queue-full"')).toBe(12);
    expect(value("dropped_total", 'interface="nc0",reason="no-slot"')).toBe(0);
    expect(value("health_findings", 'interface="nc0",severity="problem"')).toBe(2);
  });

  test("has each series once, also while a path is being replaced, and escapes labels", () => {
    const [path] = REPORT.snapshot.links[0]?.paths ?? [];
    if (!path) throw new Error("the sample has no path");
    const old = { ...path, id: 7, state: "suspect" as const, metric: 5 };
    const report = withLink({ name: 'a"\\b', paths: [path, old] });
    const { samples } = parse(renderMetrics([report])).get("netcombiner_path_metric") as ParsedFamily;
    expect([...samples]).toEqual([['interface="nc0",link="a\\"\\\\b",path="fibre"', 0]]);
  });

  test("is documented, name by name", () => {
    const text = readFileSync(join(ROOT, "docs/operating.md"), "utf8");
    expect(METRIC_NAMES.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

describe("The Grafana dashboard", () => {
  const text = readFileSync(join(ROOT, "packaging/grafana/netcombiner.json"), "utf8");
  const panels: readonly Panel[] = JSON.parse(text).panels;
  const expressions = panels.flatMap((panel) => panel.targets.map((target) => target.expr));

  test("asks for metrics that exist, and for rates of counters only", () => {
    expect(expressions.length).toBeGreaterThan(10);
    const asked = [...text.matchAll(/netcombiner_[a-z_]+/g)].map(([name]) => name);
    expect(asked.filter((name) => !METRIC_NAMES.includes(name))).toEqual([]);
    const counted = expressions.flatMap((expression) =>
      [...expression.matchAll(/rate\((\w+)/g)].map(([, name]) => name),
    );
    expect(counted.filter((name) => !name?.endsWith("_total"))).toEqual([]);
    const plain = expressions.join(" ").replaceAll(/rate\(\w+/g, "");
    expect([...plain.matchAll(/netcombiner_\w+_total/g)]).toEqual([]);
  });

  test("has panels with a title and a description that do not cover each other", () => {
    expect(new Set(panels.map((panel) => panel.id)).size).toBe(panels.length);
    for (const { title, description } of panels) expect(title !== "" && description.endsWith(".")).toBe(true);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
  });
});
