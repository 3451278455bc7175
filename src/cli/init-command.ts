/** Implements `netcombiner init`, which makes this host a remote portal and prints the token that pairs a local one with it. */
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { defineCommand } from "citty";
import { loadConfiguration } from "../config/load.ts";
import { isHost } from "../config/values.ts";
import { parsePrefixedAddress } from "../host/host.ts";
import { remoteConfiguration } from "../pairing/configuration-text.ts";
import { openFirewall } from "../pairing/firewall.ts";
import { systemMachine } from "../pairing/machine.ts";
import { renderQr } from "../pairing/qr.ts";
import { existingPairing, newPairing, type RemoteOptions, type TokenSources } from "../pairing/remote.ts";
import { encodeToken, type Pairing } from "../pairing/token.ts";
import { keepToken, removeToken, tokenPath, writeConfiguration } from "../pairing/write.ts";
import { assertInterfaceName, CONFIG_ARGUMENT, chosenFile, usageError } from "./arguments.ts";
import { startPaired } from "./pairing-start.ts";
import type { Program } from "./program.ts";

const DEFAULT_INTERFACE = "nc0";

export function initCommand(program: Program) {
  return defineCommand({
    meta: {
      name: "netcombiner init",
      description: "Make this host a remote portal: keys, configuration, firewall, service; prints a token for join",
    },
    args: {
      interface: { type: "positional", required: false, description: "name of the tunnel's interface (default: nc0)" },
      config: CONFIG_ARGUMENT,
      endpoint: {
        type: "string",
        valueHint: "HOST,...",
        description:
          "host names or addresses at which the local portal reaches this host (default: its public addresses)",
      },
      port: { type: "string", valueHint: "PORT", description: "UDP port to listen on (default: 4725)" },
      address: {
        type: "string",
        valueHint: "ADDRESS/LENGTH,...",
        description: "this portal's addresses in the tunnel (default: random private ones)",
      },
      force: { type: "boolean", description: "replace an existing configuration and its keys" },
      revoke: { type: "boolean", description: "make the token that nobody has used yet worthless, and do no more" },
      "write-only": { type: "boolean", description: "change neither firewall nor services, and start nothing" },
    },
    async run({ args }) {
      const name = args.interface ?? DEFAULT_INTERFACE;
      assertInterfaceName(name);
      const path = chosenFile(args.config, name);
      if (args.revoke) return revoke(path);
      const options = parseOptions(args);
      const machine = systemMachine((line) => console.error(line));
      const isNew = args.force === true || !existsSync(path);
      const pairing = isNew ? writeNew(path, name, options, args.force === true) : readExisting(path, options);
      machine.print(isNew ? `wrote ${path}` : `${path} exists already and stays as it is; --force replaces it`);
      if (!args["write-only"]) {
        openFirewall(machine, pairing.port);
        await startPaired(machine, name, path, isNew, program);
      }
      printToken(pairing, tokenPath(path));
    },
  });
}

function writeNew(path: string, name: string, options: RemoteOptions, isForced: boolean): Pairing {
  const made = newPairing(options, networkInterfaces(), systemSources());
  writeConfiguration(path, remoteConfiguration(name, made), isForced);
  keepToken(path, encodeToken(made.pairing));
  return made.pairing;
}

function readExisting(path: string, { hosts, port, addresses }: RemoteOptions): Pairing {
  if (port !== undefined || addresses.length > 0) {
    throw usageError(`${path} exists already and has port and addresses; edit it, or replace it with --force`);
  }
  const pairing = existingPairing(path, loadConfiguration(path), hosts, networkInterfaces(), systemSources());
  keepToken(path, encodeToken(pairing));
  return pairing;
}

function systemSources(): TokenSources {
  return { random: (size) => crypto.getRandomValues(new Uint8Array(size)), now: Date.now() };
}

/** Removes the token; a portal that waits for `join` reads it for each request. */
function revoke(path: string): void {
  const was = removeToken(path);
  console.error(
    was ? `removed ${tokenPath(path)}: its token is worthless now` : `no token to revoke: ${tokenPath(path)}`,
  );
}

interface GivenOptions {
  readonly endpoint?: string | undefined;
  readonly port?: string | undefined;
  readonly address?: string | undefined;
}

function parseOptions(args: GivenOptions): RemoteOptions {
  const hosts = listed(args.endpoint);
  const wrong = hosts.find((host) => !isHost(host));
  if (wrong !== undefined) throw usageError(`--endpoint: "${wrong}" is not a name or address; give a port with --port`);
  const isPort = args.port === undefined || (/^\d{1,5}$/.test(args.port) && portOf(args.port) > 0);
  if (!isPort || portOf(args.port) > 65_535)
    throw usageError(`--port must be a number from 1 to 65535, not ${args.port}`);
  const addresses = listed(args.address).map(parsePrefixedAddress);
  return { hosts, port: args.port === undefined ? undefined : portOf(args.port), addresses };
}

function portOf(text: string | undefined): number {
  return Number(text ?? 0);
}

function listed(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}

/** Prints the token alone to standard output, so that it can be piped; the notes go to standard error. */
function printToken(pairing: Pairing, path: string): void {
  const token = encodeToken(pairing);
  const until = new Date(pairing.expires * 1_000).toISOString().slice(0, 16).replace("T", " ");
  console.error(
    "\nThis token lets one local portal join this host, once. Whoever has it first can join: pass it on in private.",
  );
  console.error(
    `It is valid until ${until} UTC and kept in ${path} until it is used; "netcombiner init --revoke" revokes it.\n`,
  );
  console.log(token);
  if (!process.stderr.isTTY) return;
  console.error(`\n${renderQr(token)}\n`);
  console.error('On the local portal, run "netcombiner join" and paste the line.');
}
