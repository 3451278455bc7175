/**
 * Colours output for a terminal: not when it goes elsewhere, or with NO_COLOR (no-color.org) or TERM=dumb. NETCOMBINER_COLOR_MODE takes
 * precedence over these: always, never or auto, as WG_COLOR_MODE of wg(8).
 */
export interface Colours {
  readonly isOn: boolean;
  bold(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

export function colours(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env): Colours {
  const isWanted = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
  const mode = environment.NETCOMBINER_COLOR_MODE;
  const isOn = mode === "always" || (mode !== "never" && isWanted);
  const code = (on: number, off: number) => (text: string) => (isOn ? `\x1b[${on}m${text}\x1b[${off}m` : text);
  return { isOn, bold: code(1, 22), green: code(32, 39), yellow: code(33, 39), red: code(31, 39) };
}
