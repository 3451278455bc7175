// The page in a real browser: chromium of Debian, without a screen.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { HttpServer } from "../../../src/daemon/status/http.ts";
import { openStatus } from "../../../src/daemon/status/listener.ts";
import type { TunnelReport } from "../../../src/monitor/tunnel-report.ts";
import { Browser, hasBrowser, type Page } from "../../support/browser.ts";
import { TEST_MILLIS } from "../../support/limits.ts";
import { REPORT, withLink, withPath } from "../../support/report.ts";

setDefaultTimeout(TEST_MILLIS);

let answer: TunnelReport | undefined = REPORT;
let server: HttpServer;
let browser: Browser;

describe.skipIf(!hasBrowser)("The status page in chromium", () => {
  beforeAll(async () => {
    const report = async () => answer ?? Promise.reject(new Error("gone"));
    server = await openStatus({ host: "127.0.0.1", port: 0 }, report);
    browser = await Browser.open();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** A page that shows `report`; for a moment it may be told of an earlier one. */
  async function opened(report: TunnelReport): Promise<Page> {
    answer = report;
    const page = await browser.page(`http://127.0.0.1:${server.port}/`);
    const names = report.snapshot.links.map((link) => link.name);
    const shown = "JSON.stringify([...document.querySelectorAll('#links h2')].map((title) => title.textContent))";
    await page.until(`${shown} === ${JSON.stringify(JSON.stringify(names))}`);
    return page;
  }

  const text = (page: Page, selector: string) =>
    page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).innerText`);

  test("shows the tunnel, each link with its rates, and what is wrong, without a complaint of the browser", async () => {
    const page = await opened(REPORT);
    expect(await page.evaluate<string>("document.title")).toBe("nc0 – netcombiner");
    expect(await text(page, "#facts")).toContain(`security ${REPORT.snapshot.security}`);
    expect(await text(page, "#total")).toContain("212 Mbit/s");
    expect(await text(page, "#links section:nth-of-type(1)")).toMatch(
      /^fibre\s+carrying[\s\S]*212 Mbit\/s\s+received[\s\S]*41\.2 Mbit\/s\s+sent[\s\S]*12\.1 ms/,
    );
    expect(await text(page, "#links section:nth-of-type(2)")).toContain("interface wwan0 has no address");
    expect(await text(page, "#verdict")).toBe("2 problems");
    expect(await text(page, "#findings")).toContain("lte: never came up");
    expect(browser.complaints).toEqual([]);
  });

  test("follows what changes: rates are drawn, links come and go, and a tunnel that is gone is told", async () => {
    const page = await opened(REPORT);
    const curve = "document.querySelector('#links .curve.in').getAttribute('d')";
    const before = await page.evaluate<string>(curve);
    answer = withPath({ rate: { sent: 0, received: 125_000 } });
    await page.until("document.querySelectorAll('#links section').length === 1");
    expect(await text(page, "#links section .rate.in")).toContain("1.00 Mbit/s");
    expect(await page.evaluate<string>(curve)).not.toBe(before);
    expect(await text(page, "#verdict")).toBe("all well");
    answer = undefined;
    await page.until("!document.querySelector('#stale').hidden");
    expect(await text(page, "#stale")).toStartWith("No answer from the tunnel since ");
    answer = REPORT;
    await page.until("document.querySelector('#stale').hidden");
    // The refused answer in between is the one thing the browser may complain about.
    expect(browser.complaints.filter((complaint) => !complaint.includes("503"))).toEqual([]);
    browser.complaints.length = 0;
  });

  test("takes no name for markup", async () => {
    const name = "<img src=x onerror=document.title=1>";
    const page = await opened(withLink({ name }));
    expect(await text(page, "#links h2")).toBe(name);
    expect(await page.evaluate<number>("document.querySelectorAll('main img').length")).toBe(0);
  });

  test("can be read by a screen reader, and in light and dark", async () => {
    const page = await opened(REPORT);
    const { nodes } = (await page.send("Accessibility.getFullAXTree")) as {
      nodes: { role?: { value: string }; name?: { value: string }; ignored: boolean }[];
    };
    const named = (role: string) =>
      nodes.filter((node) => !node.ignored && node.role?.value === role).map((node) => node.name?.value);
    expect(named("heading")).toEqual(["nc0", "Health", "All links together", "fibre", "lte"]);
    expect(named("image").every((label) => /received and .* sent$/.test(label ?? ""))).toBe(true);
    expect(named("image")).toHaveLength(3);
    expect(named("status")).toHaveLength(1);
    for (const scheme of ["light", "dark"] as const) {
      await page.screenshot(1_100, 900, scheme);
      for (const selector of ["#facts", "#verdict", "#links .state", "#links dt", ".rate span", "#findings span"]) {
        const ratio = await page.evaluate<number>(`(${contrast})(${JSON.stringify(selector)})`);
        expect({ scheme, selector, isReadable: ratio >= 4.5 }).toEqual({ scheme, selector, isReadable: true });
      }
    }
    // A phone: nothing is wider than the screen.
    await page.screenshot(360, 800, "dark");
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  });
});

/** WCAG 2.2's contrast of an element's text and what is behind it; runs in the page. */
const contrast = `(selector) => {
  const element = document.querySelector(selector);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = parts(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (behind.parentElement && parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(luminance);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}`;
