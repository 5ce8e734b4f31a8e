/** Modules of Node's, imported at their first use. */
import type * as Files from 'node:fs/promises'
import type * as Path from 'node:path'
import type * as Zlib from 'node:zlib'

interface HostModules {
  readonly 'node:fs/promises': typeof Files
  readonly 'node:path': typeof Path
  readonly 'node:zlib': typeof Zlib
}

/**
 * One of Node's modules. The name is no literal where it is imported: bundlers for pages would look
 * for the module, and some end with an error because there is none.
 */
export const hostModule = async <N extends keyof HostModules>(name: N): Promise<HostModules[N]> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ name)
