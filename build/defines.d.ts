// Constants that build/compile.ts puts into the binary. They do not exist when running from source: ask with `typeof`.

/** Version of package.json, for example `0.1.0`. */
declare const NETCOMBINER_VERSION: string | undefined;

/** Abbreviated git commit, `-dirty` behind it when tracked files were changed; empty when unknown. */
declare const NETCOMBINER_COMMIT: string | undefined;
