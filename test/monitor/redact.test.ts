import { describe, expect, test } from "bun:test";
import { Redactor } from "../../src/monitor/redact.ts";

const redact = (text: string, names: string[] = []) => new Redactor(names).redact(text);

describe("Redactor", () => {
  test("gives each address a stand-in of its own that tells its kind, and always the same", () => {
    const text = "192.0.2.10:5000 -> [2001:db8::1]:4725, again 192.0.2.10; 10.47.25.2/24 fd47:25::2/64 fe80::1%eth0";
    expect(redact(text)).toBe(
      "(ipv4-1 public):5000 -> [(ipv6-1 public)]:4725, again (ipv4-1 public); (ipv4-2 private)/24 (ipv6-2 private)/64 (ipv6-3 link-local)%eth0",
    );
    expect(redact("100.64.0.1 169.254.1.1 224.0.0.1 172.16.0.1 192.168.1.1 ff02::1")).toBe(
      "(ipv4-1 carrier's NAT) (ipv4-2 link-local) (ipv4-3 multicast) (ipv4-4 private) (ipv4-5 private) (ipv6-1 multicast)",
    );
    expect(redact("to 2001:db8::1: no route; via:fd00::1; [fd00::1%3]")).toBe(
      "to (ipv6-1 public): no route; via:(ipv6-2 private); [(ipv6-2 private)%3]",
    );
    expect(redact("2001:DB8::A and 2001:db8::a, ::ffff:192.0.2.1")).not.toMatch(/db8|192/i);
  });

  test("leaves what says nothing about anybody", () => {
    for (const text of [
      "127.0.0.1 0.0.0.0 :: ::1 255.255.255.255",
      "2026-11-24T19:08:01.123Z up for 12:34:56, version 0.1.0, 1.2.3.4.5, 999.1.1.1",
      "nc0.conf:12: Peer[1].LocalPort invalid: max 65535",
      "netcombiner 0.1.0 1a2b3c4d5e6f",
      "no::path, std::vector, face it",
    ]) {
      expect(redact(text)).toBe(text);
    }
  });

  test("hides keys and tokens, hardware addresses, names of hosts and users", () => {
    expect(redact("SharedKey = VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=.")).toBe("SharedKey = (key).");
    expect(redact(`join nc1-${"Ab_-".repeat(15)}`)).toBe("join (key)");
    expect(redact("0123456789abcdef0123456789abcdef")).toBe("(key)");
    expect(redact("ether 02:00:5E:10:00:ff")).toBe("ether (hardware-1)");
    expect(redact("portal.example.net, PORTAL.example.net:4725 and box", ["box", "portal.example.net"])).toBe(
      "(host-1), (host-1):4725 and (host-2)",
    );
    expect(redact("boxes, a-box.example", ["box"])).toBe("boxes, a-box.example");
    expect(redact("/home/alice/nc0.conf")).toBe("/home/(user)/nc0.conf");
  });
});
