import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { plain } from "../../../src/daemon/status/http.ts";
import { openStatus, StatusListener, statusHandler } from "../../../src/daemon/status/listener.ts";
import { PAGE, PAGE_POLICY } from "../../../src/daemon/status/page.ts";
import { NetcombinerError } from "../../../src/errors.ts";
import { REPORT } from "../../support/report.ts";

const ask = (hasPage: boolean, path: string, host = "localhost:9820") =>
  statusHandler(hasPage, async () => REPORT)({ method: "GET", path, host });

describe("The status server", () => {
  test("serves metrics everywhere, the page and its figures at loopback only", async () => {
    for (const hasPage of [true, false]) {
      expect(await ask(hasPage, "/metrics", "localhost")).toMatchObject({
        status: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: expect.stringContaining('netcombiner_info{interface="nc0"'),
      });
      expect(await ask(hasPage, "/other")).toEqual(plain(404));
    }
    const json = await ask(true, "/status.json");
    expect(JSON.parse(json.body)).toMatchObject({
      interface: "nc0",
      mtu: 1400,
      health: [{ check: "link-never-up" }, {}, {}],
    });
    expect((await ask(true, "/")).body).toBe(PAGE);
    for (const path of ["/", "/status.json"]) expect(await ask(false, path)).toEqual(plain(404));
  });

  test("answers at loopback only who asks for this host, so that no page elsewhere can read it", async () => {
    for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:9820", "127.3.2.1", "[::1]:9820"]) {
      expect({ host, status: (await ask(true, "/metrics", host)).status }).toEqual({ host, status: 200 });
    }
    for (const host of [
      "",
      "evil.example",
      "evil.example:9820",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "[::2]",
      "192.0.2.1",
      "localhost:9820:1",
    ]) {
      expect({ host, status: (await ask(true, "/metrics", host)).status }).toEqual({ host, status: 421 });
    }
    expect((await ask(false, "/metrics", "portal.example.net:9820")).status).toBe(200);
  });

  test("says that it has nothing to say when the tunnel does not answer", async () => {
    const silent = statusHandler(true, () => Promise.reject(new Error("x")));
    expect(await silent({ method: "GET", path: "/metrics", host: "localhost" })).toEqual(plain(503));
  });

  test("asks the tunnel once for all who ask at the same time", async () => {
    let asked = 0;
    const server = await openStatus({ host: "127.0.0.1", port: 0 }, async () => {
      asked++;
      return REPORT;
    });
    const urls = ["metrics", "status.json", "metrics"].map((path) => `http://127.0.0.1:${server.port}/${path}`);
    const answers = await Promise.all(urls.map((url) => fetch(url).then((response) => response.status)));
    server.close();
    expect({ answers, asked }).toEqual({ answers: [200, 200, 200], asked: 1 });
  });

  test("names an address that it cannot have", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => other.once("listening", done));
    const { port } = other.address() as { port: number };
    const complaints: string[] = [];
    const listener = new StatusListener(
      async () => REPORT,
      (text) => complaints.push(text),
    );
    await listener.listen({ host: "127.0.0.1", port });
    expect(complaints).toEqual([expect.stringContaining(`Metrics: cannot listen at 127.0.0.1 port ${port}: `)]);
    await new Promise((done) => other.close(done));
    // The same address again is tried again, as a reload does.
    await listener.listen({ host: "127.0.0.1", port });
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
    await listener.listen(undefined);
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
    expect(complaints).toHaveLength(1);
    await expect(openStatus({ host: "203.0.113.9", port: 9820 }, async () => REPORT)).rejects.toThrow(NetcombinerError);
  });
});

describe("The page", () => {
  test("is one file that takes nothing from elsewhere", () => {
    expect(PAGE).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)/);
    expect(PAGE).not.toMatch(/@import|url\(|innerHTML|eval\(/);
    expect(PAGE.replaceAll("http://www.w3.org/2000/svg", "")).not.toContain("://");
  });

  test("has a policy that allows its own script and style, by their hash, and nothing else", () => {
    expect(PAGE_POLICY).toMatch(
      /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; connect-src 'self'; /,
    );
    expect(PAGE_POLICY).not.toContain("unsafe");
    expect(PAGE).not.toMatch(/ style=| on[a-z]+=/);
  });
});
