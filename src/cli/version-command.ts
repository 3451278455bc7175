/** Implements `netcombiner version`. */
import { defineCommand } from "citty";
import { versionLine } from "../daemon/process/program-version.ts";

export const versionCommand = defineCommand({
  meta: { name: "netcombiner version", description: "Print version and commit" },
  args: {},
  run() {
    console.log(versionLine());
  },
});
