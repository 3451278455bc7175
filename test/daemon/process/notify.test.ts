import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FREEBSD } from "../../../ffi/freebsd/constants.ts";
import { layout } from "../../../ffi/layout.ts";
import { pointerTo, systemLibc } from "../../../ffi/libc.ts";
import { LINUX } from "../../../ffi/linux/constants.ts";
import { sendUnixDatagram, unixAddress } from "../../../ffi/unix-datagram.ts";
import { Notifier } from "../../../src/daemon/process/notify.ts";

describe("Notifier", () => {
  function recorded(path: string | undefined) {
    const sent: string[] = [];
    const send = (to: string, payload: Uint8Array) => sent.push(`${to} ${new TextDecoder().decode(payload)}`) > 0;
    return { sent, notifier: new Notifier(path, send) };
  }

  test("tells systemd how it goes", () => {
    const { sent, notifier } = recorded("/run/notify");
    notifier.ready("nc0 is up");
    notifier.reloading(1234.5);
    notifier.stopping("SIGTERM\nMAINPID=1");
    expect(sent).toEqual([
      `/run/notify READY=1\nMAINPID=${process.pid}\nSTATUS=nc0 is up`,
      "/run/notify RELOADING=1\nMONOTONIC_USEC=1234",
      "/run/notify STOPPING=1\nSTATUS=SIGTERM",
    ]);
  });

  test("says nothing where nobody listens", () => {
    for (const path of [undefined, ""]) {
      const { sent, notifier } = recorded(path);
      notifier.ready("nc0 is up");
      // An absent argument means the environment's socket, which a test has not.
      if (path !== undefined || process.env.NOTIFY_SOCKET === undefined) expect(sent).toEqual([]);
    }
  });
});

describe("sendUnixDatagram", () => {
  const AF_UNIX = 1;

  /** A bound datagram socket at `path`; `receive` gives what is there, undefined if nothing. */
  function receiver(path: string) {
    const libc = systemLibc();
    const fd = libc.socket(AF_UNIX, layout.SOCK_DGRAM | layout.SOCK_CLOEXEC | layout.SOCK_NONBLOCK, 0);
    const address = unixAddress(path) as Uint8Array;
    expect(libc.bind(fd, pointerTo(address), address.length)).toBe(0);
    const buffer = new Uint8Array(new ArrayBuffer(4096));
    return {
      receive() {
        const n = libc.recv(fd, pointerTo(buffer), buffer.length, 0);
        return n < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, n));
      },
      close: () => libc.close(fd),
    };
  }

  test("reaches a socket of the file system and an abstract one", () => {
    const path = join(tmpdir(), `netcombiner-notify-${process.pid}.sock`);
    const paths = process.platform === "linux" ? [path, `@netcombiner-notify-${process.pid}`] : [path];
    for (const to of paths) {
      const socket = receiver(to);
      expect(sendUnixDatagram(to, new TextEncoder().encode("READY=1"))).toBe(true);
      expect(socket.receive()).toBe("READY=1");
      expect(socket.receive()).toBeUndefined();
      socket.close();
      rmSync(to, { force: true });
    }
  });

  test("says when nobody took it", () => {
    expect(sendUnixDatagram("/nonexistent/socket", Uint8Array.of(1))).toBe(false);
    expect(sendUnixDatagram(`/${"x".repeat(107)}`, Uint8Array.of(1))).toBe(false);
    expect(sendUnixDatagram("", Uint8Array.of(1))).toBe(false);
  });

  test("writes the address of each system", () => {
    expect(Array.from(unixAddress("/a", LINUX) ?? [])).toEqual([1, 0, 0x2f, 0x61, 0]);
    expect(Array.from(unixAddress("@a", LINUX) ?? [])).toEqual([1, 0, 0, 0x61]);
    expect(Array.from(unixAddress("/a", FREEBSD) ?? [])).toEqual([5, 1, 0x2f, 0x61, 0]);
    expect(unixAddress("/".padEnd(107, "a"), LINUX)?.length).toBe(110);
    expect(unixAddress("/".padEnd(108, "a"), LINUX)).toBeUndefined();
    expect(unixAddress("/".padEnd(104, "a"), FREEBSD)).toBeUndefined();
  });
});
