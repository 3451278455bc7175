import type { SystemRequest } from "../request.ts";
import type { Step } from "../step.ts";
export function planFreebsd(_r: SystemRequest, _s: unknown): Step[] {
  return [];
}
export function freebsdInterfaceCommands(_r: SystemRequest): string[] {
  return [];
}
