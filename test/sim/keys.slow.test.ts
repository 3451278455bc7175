import { expect, test } from "bun:test";
import { expectNoLoss } from "./rekeyed-worlds.ts";

test("keys that change a thousand times lose no packet", () => {
  expectNoLoss(1_000);
  expect().pass();
}, 60_000);
