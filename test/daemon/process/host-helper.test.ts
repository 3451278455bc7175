import { describe, expect, test } from "bun:test";
import { writeSync } from "node:fs";
import { closePipeEnd, openPipe } from "../../../ffi/wake.ts";
import type { Configuration } from "../../../src/config/configuration.ts";
import type { SystemSetup } from "../../../src/daemon/daemon.ts";
import { HelperClient, serveSteps } from "../../../src/daemon/process/host-helper.ts";
import { linesOf } from "../../../src/daemon/process/lines.ts";
import { helperPipes, isRoots, stageOf } from "../../../src/daemon/process/stages.ts";
import { EXIT, NetcombinerError } from "../../../src/errors.ts";

const CONFIGURATION = { logLevel: "info" } as unknown as Configuration;

/** A daemon's end and a helper's, joined by pipes as in life. `did` tells which steps were taken, with what. */
function joined(system: Partial<SystemSetup> = {}) {
  const [commands, answers] = [openPipe(), openPipe()];
  const [did, printed]: [unknown[], string[]] = [[], []];
  const note = (name: string) => async (configuration?: Configuration) =>
    void did.push(configuration ? [name, configuration] : name);
  let loads = 0;
  const served = serveSteps(
    linesOf(commands.readFd),
    (line) => writeSync(answers.writeFd, line),
    () => {
      loads++;
      return CONFIGURATION;
    },
    (print) => {
      const prepare = async (configuration: Configuration) => {
        print("command", "ip link");
        await note("prepare")(configuration);
      };
      const [heal, configure, restore, finish] = ["heal", "configure", "restore", "finish"].map(note);
      return { heal, prepare, configure, restore, finish, ...system } as SystemSetup;
    },
  );
  const client = new HelperClient(commands.writeFd, answers.readFd, (kind, text) => printed.push(`${kind} ${text}`));
  return { client, served, did, printed, loads: () => loads, commands };
}

describe("The helper that sets up the host", () => {
  test("takes each step when it is asked, with the configuration it read first", async () => {
    const { client, served, did, printed, loads, commands } = joined();
    await client.heal();
    await client.prepare();
    await client.configure();
    await client.restore();
    await client.finish();
    expect(did).toEqual(["heal", ["prepare", CONFIGURATION], ["configure", CONFIGURATION], "restore", "finish"]);
    expect(printed).toEqual(["command ip link"]);
    expect(loads()).toBe(1);
    closePipeEnd(commands.writeFd);
    await served;
  });

  test("tells what failed, with the exit code, and goes on", async () => {
    const { client, did } = joined({
      configure: () => Promise.reject(new NetcombinerError("nft: no such table", EXIT.OS)),
    });
    const error = await client.configure().catch((caught: unknown) => caught as NetcombinerError);
    expect(error).toMatchObject({ message: "nft: no such table", exitCode: EXIT.OS });
    await client.restore();
    expect(did).toEqual(["restore"]);
  });

  test("does nothing but its five steps, whatever it is told", async () => {
    const { client, did, commands } = joined();
    writeSync(commands.writeFd, 'run rm -rf /\n{"step":"heal"}\n__proto__\nheal finish\n\n');
    await client.finish();
    expect(did).toEqual(["finish"]);
  });

  test("is missed with a reason when it is gone", async () => {
    const [commands, answers] = [openPipe(), openPipe()];
    closePipeEnd(answers.writeFd);
    closePipeEnd(commands.readFd);
    const client = new HelperClient(commands.writeFd, answers.readFd, () => undefined);
    expect(client.restore()).rejects.toThrow("the process that sets up the host is gone");
  });
});

describe("The stages of a tunnel's process", () => {
  test("are told by the environment, and a process without it is the first", () => {
    const stages = [{}, { NETCOMBINER_STAGE: "helper" }, { NETCOMBINER_STAGE: "limited" }, { NETCOMBINER_STAGE: "x" }];
    expect(stages.map((environment) => stageOf(environment))).toEqual(["first", "helper", "limited", "first"]);
  });

  test("keep the right to read files of others for a configuration that is another user's alone", () => {
    const files: Record<string, [uid: number, mode: number]> = {
      "/etc/nc0.conf": [0, 0o600],
      "/etc": [0, 0o755],
      "/home": [0, 0o755],
      "/home/ann": [1000, 0o700],
      "/home/ann/nc0.conf": [0, 0o600],
      "/srv": [1000, 0o755],
      "/srv/nc0.conf": [1000, 0o600],
      "/srv/open.conf": [1000, 0o644],
    };
    const stat = (path: string) => {
      const [uid, mode] = files[path] as [number, number];
      return { uid, mode };
    };
    const paths = ["/etc/nc0.conf", "/home/ann/nc0.conf", "/srv/nc0.conf", "/srv/open.conf"];
    expect(paths.map((path) => isRoots(path, stat))).toEqual([true, false, false, true]);
  });

  test("hand on the pipes to the helper", () => {
    expect(helperPipes({ NETCOMBINER_HELPER_FDS: "7,12" })).toEqual({ commandFd: 7, answerFd: 12 });
    for (const text of [undefined, "", "7", "7,", "a,b", "7,12,13"]) {
      expect(helperPipes({ NETCOMBINER_HELPER_FDS: text })).toBeUndefined();
    }
  });
});
