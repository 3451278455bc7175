/** The commands of the control socket that change or examine a running tunnel: link, ping, speedtest, alone. */
import type { ConfiguredLink } from "../../config/configuration.ts";
import type { DataplaneClient } from "../dataplane-client.ts";
import { AloneRequest, LinkRequest, PingRequest, parseParameters, SpeedTestRequest } from "./requests.ts";
import type { Answer, Commands } from "./server.ts";

/** Time for the peer to answer: more than a satellite's round-trip time and the start of a responder. */
const RESPONDER_WAIT_MS = 3_000;
const SECRET_SIZE = 16;

export interface RunningTunnel {
  readonly dataplane: Pick<DataplaneClient, "changeLink" | "ask">;
  readonly links: readonly ConfiguredLink[];
}

/** @param running undefined while the tunnel does not run yet */
export function tunnelCommands(running: () => RunningTunnel | undefined): Commands {
  const tunnel = (): RunningTunnel => {
    const found = running();
    if (!found) throw new Error("the tunnel is not running yet");
    return found;
  };
  return {
    link(parameters) {
      const { link, ...change } = parseParameters(LinkRequest, parameters);
      tunnel().dataplane.changeLink(idOf(tunnel(), link), change);
      return { ok: true };
    },
    async ping(parameters) {
      const { wait } = parseParameters(PingRequest, parameters);
      const { links, dataplane } = tunnel();
      const { echoes } = await dataplane.ask({ kind: "ping", wait: wait * 1_000 });
      const named = echoes.map((echo) => ({
        ...echo,
        link: links.find(({ settings }) => settings.id === echo.link)?.settings.name ?? "",
      }));
      return { ok: true, echoes: named };
    },
    async speedtest(parameters) {
      const { seconds } = parseParameters(SpeedTestRequest, parameters);
      return await openSpeedTest(tunnel(), seconds);
    },
    async alone(parameters) {
      const { link, seconds } = parseParameters(AloneRequest, parameters);
      const id = link === undefined ? undefined : idOf(tunnel(), link);
      await tunnel().dataplane.ask({ kind: "alone", link: id, seconds });
      return { ok: true };
    },
  };
}

async function openSpeedTest({ dataplane }: RunningTunnel, seconds: number): Promise<Answer> {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_SIZE));
  const wait = RESPONDER_WAIT_MS * 1_000;
  const { responder } = await dataplane.ask({ kind: "responder", secret, seconds, wait });
  if (!responder) return { ok: false, error: "the peer does not answer: no link is up, or its netcombiner is older" };
  if (responder.port === 0 || responder.addresses.length === 0) {
    return { ok: false, error: "the peer cannot take part: its end of the tunnel has no address, see its log" };
  }
  return { ok: true, ...responder, secret: secret.toHex() };
}

/** @throws Error that names the links there are */
function idOf({ links }: RunningTunnel, name: string): number {
  const link = links.find(({ settings }) => settings.name === name);
  if (link) return link.settings.id;
  throw new Error(`no link ${name}; there are ${links.map(({ settings }) => settings.name).join(", ")}`);
}
