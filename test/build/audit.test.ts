import { describe, expect, test } from "bun:test";
import { judgeAudit } from "../../build/audit.ts";

describe("the audit of npm packages", () => {
  test("is good when the registry knows of nothing", () => {
    expect(judgeAudit('{"auditReportVersion":2,"vulnerabilities":{}}')).toEqual({
      isGood: true,
      text: "audit: no known vulnerability",
    });
  });

  test("fails when a package is vulnerable, and names it", () => {
    const answer = { vulnerabilities: { citty: { name: "citty", severity: "high", range: "<0.3.0" } } };
    const { isGood, text } = judgeAudit(JSON.stringify(answer));
    expect(isGood).toBe(false);
    expect(text).toContain("citty <0.3.0: high");
  });

  test.each([
    ["no network", '{"message":"request to https://registry.invalid failed","error":{"summary":"","detail":""}}'],
    ["a registry without audits", '{"error":{"code":"ENOAUDIT","summary":"not supported\\nmore"}}'],
    ["npm that was killed", ""],
  ])("is skipped, and says so, with %s", (_what, output) => {
    const { isGood, text } = judgeAudit(output);
    expect(isGood).toBe(true);
    expect(text).toMatch(/^audit skipped: the registry could not be asked \(.+\)$/);
  });
});
