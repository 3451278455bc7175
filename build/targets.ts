// Lists the machines for which the binary is built, and the npm package that holds each one's Bun runtime.

export interface Target {
  /** Our name, as in `dist/netcombiner-<name>`. */
  readonly name: string;
  /** Bun's name, for `bun build --target`. */
  readonly bunTarget: string;
  /** npm package whose `bin/bun` is the base of the binary; its version is that of the `bun` package. */
  readonly runtimePackage: string;
}

export const TARGETS: readonly Target[] = [
  { name: "linux-x64", bunTarget: "bun-linux-x64", runtimePackage: "@oven/bun-linux-x64" },
  { name: "linux-arm64", bunTarget: "bun-linux-arm64", runtimePackage: "@oven/bun-linux-aarch64" },
  { name: "linux-x64-musl", bunTarget: "bun-linux-x64-musl", runtimePackage: "@oven/bun-linux-x64-musl" },
  { name: "linux-arm64-musl", bunTarget: "bun-linux-arm64-musl", runtimePackage: "@oven/bun-linux-aarch64-musl" },
  { name: "freebsd-x64", bunTarget: "bun-freebsd-x64", runtimePackage: "@oven/bun-freebsd-x64" },
  { name: "freebsd-arm64", bunTarget: "bun-freebsd-arm64", runtimePackage: "@oven/bun-freebsd-aarch64" },
];

/** Returns the target of that name. @throws Error when there is none */
export function targetNamed(name: string): Target {
  const found = TARGETS.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no such target: ${name} (known: ${TARGETS.map((known) => known.name).join(", ")})`);
  return found;
}
