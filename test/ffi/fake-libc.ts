/**
 * A C library that records its calls and answers what a test says, so that the code of the other system runs here.
 * Only the calls a test names have an answer; any other throws.
 */
import { type Libc, memoryAt } from "../../ffi/libc.ts";

/** Returns the call's result; a negative number -n is failure with errno n. */
export type Answer = (...args: number[]) => number;

export interface FakeLibc extends Libc {
  /** "ioctl 5 80047460 ..." in the words of the test's own answers. */
  readonly calls: string[];
}

export function fakeLibc(answers: Readonly<Record<string, Answer>>): FakeLibc {
  const calls: string[] = [];
  let errno = 0;
  const handler: ProxyHandler<object> = {
    get: (_target, name) => {
      if (name === "calls") return calls;
      if (name === "errno") return () => errno;
      const answer = answers[String(name)];
      if (!answer) throw new Error(`unexpected call of ${String(name)}`);
      return (...args: number[]) => {
        calls.push(`${String(name)} ${args.map((arg) => (arg > 0xffff_ffff ? "@" : arg.toString(16))).join(" ")}`);
        const result = answer(...args);
        if (result >= 0) return result;
        errno = -result;
        return -1;
      };
    },
  };
  return new Proxy({}, handler) as FakeLibc;
}

/** The NUL-terminated text at an address. */
export function textAt(address: number, most: number): string {
  const bytes = memoryAt(address, most);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? most : end));
}

export function writeText(address: number, text: string): void {
  memoryAt(address, text.length + 1).set(new TextEncoder().encode(`${text}\0`));
}
