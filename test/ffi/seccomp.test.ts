import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ACTION, BPF, DATA, daemonFilter, filterSystemCalls, type Instruction } from "../../ffi/linux/seccomp.ts";
import { ARM64, DENIED_CALLS, HOT_CALLS, type SystemCalls, X86_64 } from "../../ffi/linux/system-calls.ts";
import { fakeLibc } from "./fake-libc.ts";

const ENOSYS = 38;
const EPERM = 1;
const refused = (errno: number) => ACTION.ERRNO | errno;

/** Runs a filter as the kernel does (Documentation/networking/filter.rst), for the instructions it uses. */
function decide(filter: readonly Instruction[], architecture: number, number: number, args: readonly number[] = []) {
  const words = new Map<number, number>([
    [DATA.NUMBER, number],
    [DATA.ARCHITECTURE, architecture],
    ...[0, 1, 2, 3].map((i) => [DATA.ARGUMENT(i), args[i] ?? 0] as const),
  ]);
  const conditions: Readonly<Record<number, (loaded: number, operand: number) => boolean>> = {
    [BPF.EQUAL]: (loaded, operand) => loaded === operand,
    [BPF.AT_LEAST]: (loaded, operand) => loaded >= operand,
    [BPF.ANY_BIT]: (loaded, operand) => (loaded & operand) !== 0,
  };
  let loaded = 0;
  for (let at = 0; at < filter.length; at++) {
    const [code, ifTrue, ifFalse, operand] = filter[at] as Instruction;
    if (code === BPF.RETURN) return operand;
    const condition = conditions[code];
    if (condition) at += condition(loaded, operand) ? ifTrue : ifFalse;
    else loaded = words.get(operand) as number;
  }
  throw new Error("the filter has no end");
}

const TABLES: readonly (readonly [string, SystemCalls])[] = [
  ["x86-64", X86_64],
  ["arm64", ARM64],
];

describe.each(TABLES)("The filter of system calls for %s", (_name, table) => {
  const filter = daemonFilter(table);
  const ask = (call: string, ...args: number[]) =>
    decide(filter, table.architecture, table.numbers[call] as number, args);

  test("refuses every call that leads out of the process, and lets those of the data path through", () => {
    const has = (call: string) => (table.numbers[call] as number) >= 0;
    expect(DENIED_CALLS.filter(has).filter((call) => ask(call) !== refused(EPERM))).toEqual([]);
    expect(HOT_CALLS.filter((call) => ask(call) !== ACTION.ALLOW)).toEqual([]);
  });

  test("opens files to read alone", () => {
    const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_CLOEXEC, O_TMPFILE] = [0, 1, 2, 64, 512, 0x80000, 0x400000];
    expect(ask("openat", 0, 0, O_RDONLY | O_CLOEXEC)).toBe(ACTION.ALLOW);
    const writing = [O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE].map((flags) => ask("openat", 0, 0, flags));
    expect(new Set(writing)).toEqual(new Set([refused(EPERM)]));
    // Its flags are in memory, where a filter cannot look.
    expect(ask("openat2")).toBe(refused(ENOSYS));
  });

  test("opens sockets of the network and of rtnetlink alone", () => {
    const [UNIX, INET, INET6, NETLINK, PACKET, ALG] = [1, 2, 10, 16, 17, 38];
    const [ROUTE, NETFILTER] = [0, 12];
    for (const family of [INET, INET6]) expect(ask("socket", family, 2, 17)).toBe(ACTION.ALLOW);
    expect(ask("socket", NETLINK, 3, ROUTE)).toBe(ACTION.ALLOW);
    expect(ask("socket", NETLINK, 3, NETFILTER)).toBe(refused(EPERM));
    for (const family of [UNIX, PACKET, ALG]) expect(ask("socket", family, 3, 0)).toBe(refused(EPERM));
  });

  test("answers calls newer than its table as an older kernel, and ends a process that speaks another ABI", () => {
    expect(decide(filter, table.architecture, 467)).toBe(refused(ENOSYS));
    const I386 = 0x40000003;
    expect(decide(filter, I386, 11)).toBe(ACTION.KILL_PROCESS);
  });

  test("jumps to no place behind its end", () => {
    const ends = filter.map(([, ifTrue, ifFalse], i) => i + 1 + Math.max(ifTrue, ifFalse));
    expect(Math.max(...ends)).toBeLessThanOrEqual(filter.length);
    expect(filter.at(-1)?.[0]).toBe(BPF.RETURN);
  });
});

test("the filter for x86-64 ends a process that uses calls of the x32 ABI", () => {
  expect(decide(daemonFilter(X86_64), X86_64.architecture, 0x4000_0000 + 520)).toBe(ACTION.KILL_PROCESS);
});

const HEADERS = [
  ["x86-64", X86_64, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", /^#define __NR_(\w+)\s+(\d+)$/gm],
  ["arm64", ARM64, "/usr/include/asm-generic/unistd.h", /^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm],
] as const;

describe("The numbers of system calls", () => {
  test.each(HEADERS)("for %s are those of the kernel's headers", (_name, table, path, pattern) => {
    if (!existsSync(path)) return void console.warn(`not compared: there is no ${path}`);
    const known = new Map([...readFileSync(path, "utf8").matchAll(pattern)].map(([, name, n]) => [name, Number(n)]));
    const wrong = Object.entries(table.numbers).filter(([call, n]) => (known.get(call) ?? -1) !== n);
    expect(wrong).toEqual([]);
  });

  test("are there for every call that is denied or hot", () => {
    for (const [, { numbers }] of TABLES) {
      expect([...DENIED_CALLS, ...HOT_CALLS].filter((call) => numbers[call] === undefined)).toEqual([]);
    }
  });
});

describe("A process behind the filter", () => {
  test.skipIf(process.platform !== "linux")("has it in all threads, also those that were there before", () => {
    const child = Bun.spawnSync([process.execPath, join(import.meta.dir, "seccomp-process.ts")]);
    expect(child.stderr.toString()).toBe("");
    const { sealed, modes, tried } = JSON.parse(child.stdout.toString());
    expect(sealed).toBe(true);
    expect(modes.length).toBeGreaterThan(2);
    const FILTERED = "2";
    expect([...new Set(modes)]).toEqual([FILTERED]);
    expect(tried).toEqual({
      "start a program": "EPERM",
      "write a file": "EPERM",
      "make a folder": "EPERM",
      "rename a file": "EPERM",
      "open a packet socket": "EPERM",
      "ask a service at its Unix socket": "EPERM",
      "write to the log daemon": "done",
      "read a file": "done",
      "listen on TCP": "done",
      "read the file in the other thread": "done",
      "write a file in the other thread": "EPERM",
    });
  });

  test("runs on where the system refuses", () => {
    expect(filterSystemCalls(fakeLibc({ syscall: () => -22 }))).toBe(false);
    expect(filterSystemCalls({ ...fakeLibc({}), syscall: undefined })).toBe(false);
  });
});
