import { expect, test } from "bun:test";
import { expectNoLoss } from "./renewed-worlds.ts";

test("keys that change a thousand times lose no packet", () => {
  expectNoLoss(1_000);
  expect().pass();
}, 60_000);
