import { describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { checkEgress, judge } from "../../src/host/egress.ts";

const question = (remote: string, name?: string) => ({
  remote: parseEndpoint(remote) as Endpoint,
  interface: name,
  mark: undefined,
});

describe("The way out of a link", () => {
  test("is right when the source address is one of its interface", () => {
    expect(judge("192.0.2.1", "eth0", "eth0")).toEqual({ isRight: true, text: "leaves by eth0 with 192.0.2.1" });
    expect(judge("192.0.2.1", "eth0", undefined).isRight).toBe(true);
    expect(judge("192.0.2.1", "eth1", "eth0")).toMatchObject({ isRight: false });
    expect(judge("192.0.2.1", undefined, "eth0").text).toContain("an address of no interface");
  });

  test("is asked of the kernel", () => {
    expect(checkEgress(question("127.0.0.1"), networkInterfaces)).toEqual({
      isRight: true,
      text: "leaves by lo with 127.0.0.1",
    });
  });

  test.skipIf(process.platform !== "linux")("is told not to exist where it does not", () => {
    expect(checkEgress(question("192.0.2.1", "none0"), networkInterfaces)).toEqual({
      isRight: false,
      text: expect.stringContaining("cannot bind to interface none0"),
    });
  });
});
