// Declares the constants that build/compile.ts puts into the binary. They do not exist when running from source: test with `typeof`.

/** Version of package.json, for example `0.1.0`. */
declare const NETCOMBINER_VERSION: string | undefined;

/** Abbreviated git commit, followed by `-dirty` if tracked files were changed; empty if unknown. */
declare const NETCOMBINER_COMMIT: string | undefined;
