import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { hardenFreebsdProcess } from "../../ffi/freebsd/privileges.ts";
import { hardenLinuxProcess, limitLinuxThread } from "../../ffi/linux/privileges.ts";
import { fakeLibc } from "./fake-libc.ts";

const isLinuxRoot = process.platform === "linux" && process.getuid?.() === 0;

describe("A process that gives up privileges", () => {
  test.skipIf(!isLinuxRoot)("keeps three capabilities in the thread that reads the network, all in the other", () => {
    const child = Bun.spawnSync([process.execPath, join(import.meta.dir, "privileges-process.ts")]);
    const { before, main, thread } = JSON.parse(child.stdout.toString());
    expect(main).toEqual({ ...before, NoNewPrivs: "1" });
    const kept = (Number.parseInt(before.CapEff, 16) & 0x3400).toString(16).padStart(16, "0");
    expect(thread).toEqual({ NoNewPrivs: "1", CapEff: kept, CapPrm: kept, CapInh: "0000000000000000" });
  });

  test("runs on where the system refuses or has no such calls", () => {
    const refusing = fakeLibc({ prctl: () => -1, capget: () => -1, capset: () => -1, procctl: () => -1 });
    hardenLinuxProcess(refusing);
    limitLinuxThread(refusing);
    hardenFreebsdProcess(refusing);
    expect(refusing.calls.map((call) => call.split(" ")[0])).toEqual([
      "prctl",
      "prctl",
      "capget",
      "procctl",
      "procctl",
    ]);
    const lacking = { ...refusing, prctl: undefined, capget: undefined, capset: undefined, procctl: undefined };
    hardenLinuxProcess(lacking);
    limitLinuxThread(lacking);
    hardenFreebsdProcess(lacking);
  });

  test("asks FreeBSD for no traces and no new privileges", () => {
    const libc = fakeLibc({ procctl: () => 0 });
    hardenFreebsdProcess(libc);
    const pid = process.pid.toString(16);
    expect(libc.calls).toEqual([`procctl 0 ${pid} 7 @`, `procctl 0 ${pid} 13 @`]);
  });
});
