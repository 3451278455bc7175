/** procctl(2), sys/procctl.h. */
import { type Libc, pointerTo, systemLibc } from "../libc.ts";

const P_PID = 0;
const PROC_TRACE_CTL = 7;
const PROC_TRACE_CTL_DISABLE = 2;
const PROC_NO_NEW_PRIVS_CTL = 19;
const PROC_NO_NEW_PRIVS_ENABLE = 1;

/** Disables traces, which also keeps the kernel from writing a core file, and new privileges. */
export function hardenFreebsdProcess({ procctl }: Libc = systemLibc()): void {
  const argument = new Int32Array(new ArrayBuffer(4));
  for (const [command, value] of [
    [PROC_TRACE_CTL, PROC_TRACE_CTL_DISABLE],
    [PROC_NO_NEW_PRIVS_CTL, PROC_NO_NEW_PRIVS_ENABLE],
  ] as const) {
    argument[0] = value;
    procctl?.(P_PID, process.pid, command, pointerTo(argument));
  }
}
