/** No protection, for use inside another secured network (dissertation 2.2.3). */
import { SecurityChain } from "./security.ts";

export function createNoSecurity(): SecurityChain {
  return new SecurityChain([], []);
}
