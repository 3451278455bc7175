import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  FIELD_NAMES,
  INTERFACE_COLUMNS,
  LINK_COLUMNS,
  PATH_COLUMNS,
  renderDump,
  renderField,
} from "../../src/cli/dump.ts";
import { REPORT, withLink } from "../support/report.ts";

/** What was ever promised, in order: lines are added at the end of a list, and none is changed. */
const PROMISED = {
  interface:
    "interface version pid uptime security mtu rx-packets rx-bytes tx-packets tx-bytes queue-packets queue-bytes retransmitted reinjected abandoned held late slots-free slots-total dropped sparse-flows bulk-flows aqm-marked aqm-dropped shed duplicated redundant-received",
  link: "link method role state age reason failures ups paths",
  path: "path id state age reason standby local remote metric rtt rtt-min rtt-latest rx-rate tx-rate pacing-rate rx-packets rx-bytes tx-packets tx-bytes tx-lost tx-loss rx-missing in-flight window mtu congestion mode estimate retransmissions reinjections duplicates limit-out limit-in metered",
};

describe("renderDump", () => {
  test("has the promised columns in the promised order", () => {
    const names = (columns: readonly (readonly [string, unknown])[]) => columns.map(([name]) => name).join(" ");
    expect(names(INTERFACE_COLUMNS)).toStartWith(PROMISED.interface);
    expect(names(LINK_COLUMNS)).toStartWith(PROMISED.link);
    expect(names(PATH_COLUMNS)).toStartWith(PROMISED.path);
  });

  test("documents every column and field", () => {
    const text = readFileSync(join(import.meta.dir, "../../docs/operating.md"), "utf8");
    const columns = [...INTERFACE_COLUMNS, ...LINK_COLUMNS, ...PATH_COLUMNS].map(([name]) => name);
    expect([...columns, ...FIELD_NAMES].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test("has a line for the interface, each link and each path", () => {
    const lines = renderDump(REPORT)
      .split("\n")
      .map((line) => line.split("\t"));
    expect(lines.map((columns) => columns.slice(0, 3))).toEqual([
      ["interface", "nc0", "0.1.0"],
      ["link", "nc0", "fibre"],
      ["path", "nc0", "fibre"],
      ["link", "nc0", "lte"],
    ]);
    expect(lines.map((columns) => columns.length)).toEqual([
      INTERFACE_COLUMNS.length + 1,
      LINK_COLUMNS.length + 2,
      PATH_COLUMNS.length + 3,
      LINK_COLUMNS.length + 2,
    ]);
    expect(lines[2]?.slice(3, 14).join(" ")).toBe(
      "fibre 0 up 60000000  false 192.0.2.10:5000 203.0.113.7:4725 0 12100 11800",
    );
  });

  test("lets no value break a line or a column", () => {
    const text = renderDump(withLink({ reason: "a\tb\nc", paths: [] }));
    expect(text.split("\n")).toHaveLength(2);
    expect(text).toContain("\ta b c\t");
  });
});

describe("renderField", () => {
  test("gives one line for each link or path", () => {
    const show = (field: string, prefix: string[] = []) => renderField(REPORT, field, prefix)?.split("\n");
    expect(show("links")).toEqual(["fibre", "lte"]);
    expect(show("state")).toEqual(["fibre\tup\t61000000\t", "lte\twaiting\t2000000\tinterface wwan0 has no address"]);
    expect(show("transfer")).toEqual(["fibre\t2800000\t1400000"]);
    expect(show("rtt", ["nc0"])).toEqual(["nc0\tfibre\t12100\t11800"]);
    expect(show("drops")).toEqual(["queue-full\t12", "datagram-forged\t3"]);
    expect(show("health")?.[0]).toStartWith("problem\tlink-never-up\tlte\tnever came up");
    expect(renderField(REPORT, "nonsense", [])).toBeUndefined();
    for (const field of FIELD_NAMES) expect(show(field)).not.toEqual([""]);
  });
});
