/** Implements `netcombiner join`, which makes this host a local portal, with a link over each interface that has a default route. */
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { defineCommand } from "citty";
import { loadConfiguration } from "../config/load.ts";
import { formatAddress } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { type Uplink, uplinks } from "../host/default-routes.ts";
import { interfaceExists } from "../host/host.ts";
import { localConfiguration, type PairedLink } from "../pairing/configuration-text.ts";
import { type EnrolledKeys, enrol } from "../pairing/enrol.ts";
import { assertFree, isJoined, linksFor } from "../pairing/local.ts";
import { type Machine, systemMachine } from "../pairing/machine.ts";
import { hostAddresses } from "../pairing/networks.ts";
import { decodeToken, looksLikeToken, type Pairing } from "../pairing/token.ts";
import { assertReplaceable, writeConfiguration } from "../pairing/write.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile, usageError } from "./arguments.ts";
import { colours } from "./colour.ts";
import { checkLinks } from "./pairing-check.ts";
import { startPaired } from "./pairing-start.ts";
import type { Program } from "./program.ts";

const DEFAULT_INTERFACE = "nc0";
/** Limit far above the length of any token, characters. */
const INPUT_MAX = 65_536;

export function joinCommand(program: Program) {
  return defineCommand({
    meta: {
      name: "netcombiner join",
      description:
        "Make this host a local portal with the token that init printed on the remote one; checks every link",
    },
    args: {
      interface: { type: "positional", required: false, description: "name of the tunnel's interface (default: nc0)" },
      config: CONFIG_ARGUMENT,
      "token-file": { type: "string", valueHint: "FILE", description: "file with the token (default: standard input)" },
      links: {
        type: "string",
        valueHint: "INTERFACE,...",
        description: "interfaces to use as links (default: all with a default route)",
      },
      lan: {
        type: "string",
        valueHint: "INTERFACE,...",
        description: "interfaces of the LAN whose hosts use the tunnel (default: none, this host itself uses it)",
      },
      force: { type: "boolean", description: "replace an existing configuration" },
      "write-only": { type: "boolean", description: "change no services, start nothing, check nothing" },
    },
    async run({ args }) {
      const name = args.interface ?? DEFAULT_INTERFACE;
      if (looksLikeToken(name)) throw usageError(NOT_AN_ARGUMENT);
      assertInterfaceName(name);
      const path = chosenFile(args.config, name);
      const lan = namedInterfaces(args.lan);
      const chosen = args.links === undefined ? undefined : namedUplinks(args.links);
      const pairing = decodeToken(await readToken(args["token-file"]));
      const machine = systemMachine((line) => console.log(line));
      const joined = joinedConfiguration(path, pairing);
      const isNew = args.force === true || !joined;
      if (isNew) {
        assertReplaceable(path, args.force === true);
        const links = chooseLinks(machine, name, pairing, lan, chosen ?? uplinks());
        const keys = joined ? joined.tunnel : await newKeys(machine, pairing);
        writeConfiguration(path, localConfiguration(name, pairing, keys, links, lan), args.force === true);
        machine.print(`wrote ${path}: links ${links.map((link) => link.interface).join(", ")}`);
      } else machine.print(`${path} is of this remote portal already and stays as it is; --force replaces it`);
      if (args["write-only"]) return;
      await startPaired(machine, name, path, isNew, program);
      await printLinks(name, pairing);
    },
  });
}

const NOT_AN_ARGUMENT =
  "every user of this host can read arguments in the list of processes: paste the token when join asks, or use --token-file";

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, "utf8").slice(0, INPUT_MAX);
  } catch (error) {
    throw new NetcombinerError(error instanceof Error ? error.message : String(error), EXIT.NO_INPUT, { cause: error });
  }
}

async function readToken(file: string | undefined): Promise<string> {
  if (file !== undefined) return readTokenFile(file);
  if (process.stdin.isTTY) console.error('Paste the line that "netcombiner init" printed on the remote portal:');
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of process.stdin) {
    text += decoder.decode(chunk, { stream: true });
    // At a terminal the token ends with the line; in a file it may be wrapped.
    if (text.length > INPUT_MAX || (process.stdin.isTTY && text.includes("\n"))) break;
  }
  process.stdin.destroy();
  return text;
}

/** Returns the configuration that is of this remote portal already. @throws NetcombinerError if the file is faulty */
function joinedConfiguration(path: string, pairing: Pairing) {
  if (!existsSync(path)) return undefined;
  const configuration = loadConfiguration(path);
  const { privateKey, sharedKey } = configuration.tunnel;
  return privateKey && isJoined(configuration, pairing) ? { tunnel: { privateKey, sharedKey } } : undefined;
}

async function newKeys(machine: Machine, pairing: Pairing): Promise<EnrolledKeys> {
  const keys = await enrol(pairing);
  machine.print(`the remote portal has accepted this one: PublicKey = ${keys.publicKey.toBase64()}`);
  return keys;
}

function chooseLinks(
  machine: Machine,
  name: string,
  pairing: Pairing,
  lan: readonly string[],
  found: readonly Uplink[],
): PairedLink[] {
  const others = found.filter((uplink) => uplink.interface !== name && !lan.includes(uplink.interface));
  assertFree(pairing, hostAddresses(networkInterfaces()), name);
  const links = linksFor(others, pairing.hosts);
  for (const { interface: left } of others.filter((uplink) => !links.some((l) => l.interface === uplink.interface))) {
    machine.print(`left out ${left}: it has no default route for the IP version of ${pairing.hosts.join(", ")}`);
  }
  return links;
}

/** Returns the interfaces named by the user, whose routes are not checked. */
function namedUplinks(text: string): Uplink[] {
  return namedInterfaces(text).map((name) => ({ interface: name, families: [] }));
}

function namedInterfaces(text: string | undefined): string[] {
  const names = text === undefined ? [] : text.split(",").map((part) => part.trim());
  const missing = names.find((name) => !interfaceExists(name));
  if (missing !== undefined) throw usageError(`this host has no interface named "${missing}"`);
  return names;
}

async function printLinks(name: string, { addresses }: Pairing): Promise<void> {
  const { text, areAllUp } = await checkLinks(name, colours(process.stdout));
  console.log(`\n${text}\n`);
  const [peer] = addresses;
  if (peer)
    console.log(
      `The address of the remote portal in the tunnel is ${formatAddress(peer.address)}: ping it, or route through it.`,
    );
  if (areAllUp) return;
  throw new NetcombinerError(
    `not every link is up; they keep trying, see "netcombiner show ${name}"`,
    EXIT.UNAVAILABLE,
  );
}
