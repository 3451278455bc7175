import { describe, expect, test } from "bun:test";
import { LinkRequest, parseParameters, parseRequest } from "../../../src/daemon/control/requests.ts";

describe("Requests to the control socket", () => {
  test("are a command with parameters", () => {
    expect(parseRequest('{"command":"link","version":1,"link":"lte"}')).toEqual({
      command: "link",
      parameters: { link: "lte" },
    });
    for (const line of ["", "null", "[]", "7", '{"command":7}', '{"command":"a","version":1.5}', "x".repeat(5_000)]) {
      expect(parseRequest(line)).toBeUndefined();
    }
    expect(() => parseRequest('{"command":"show","version":9}')).toThrow("not 9");
  });

  test("change a link in three ways", () => {
    for (const change of [
      { link: "lte", action: "down" },
      { link: "lte", action: "up" },
      { link: "lte", action: "metric", metric: 0 },
      { link: "lte", action: "metric", metric: "default" },
    ]) {
      expect(parseParameters(LinkRequest, change)).toEqual(change as never);
    }
  });

  test.each([
    ["action", {}],
    ["action", { link: "lte", action: "off" }],
    ["link", { action: "down" }],
    ["link", { link: "", action: "down" }],
    ["link", { link: ["lte"], action: "down" }],
    ["metric", { link: "lte", action: "metric" }],
    ["metric", { link: "lte", action: "metric", metric: -1 }],
    ["metric", { link: "lte", action: "metric", metric: 65_536 }],
    ["metric", { link: "lte", action: "metric", metric: 1.5 }],
    ["metric", { link: "lte", action: "metric", metric: "10" }],
    ["metric", { link: "lte", action: "down", metric: 1 }],
    ["extra", { link: "lte", action: "down", extra: 1 }],
  ])("are refused for a wrong %s: %j", (name, parameters) => {
    expect(() => parseParameters(LinkRequest, parameters)).toThrow(`${name}:`);
  });
});
