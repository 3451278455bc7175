// A package's input that is made in no time: a few bytes in the place of the program.
import type { PackageInput } from "../../build/packages/contents.ts";

/** Not compressible to nothing, and of an odd length, so that padding shows. */
const STAND_IN = Uint8Array.from({ length: 4_097 }, (_, i) => (i * i * 31) & 0xff);

/** 2026-01-02 03:04:05 UTC */
export const SOURCE_DATE = 1_767_323_045;

export const INPUT: PackageInput = {
  binary: STAND_IN,
  version: "1.2.3",
  sourceDate: SOURCE_DATE,
  sbom: "{}",
  compression: "fast",
};
