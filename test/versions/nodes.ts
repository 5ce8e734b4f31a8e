/** Other versions of Node, where `node scripts/nodes.mjs` has installed them. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const versions: readonly number[] = [20, 22, 24]

const folder = new URL('../../.cache/nodes/node_modules/', import.meta.url)

/** The program of a version, or null where it is not installed. */
export const nodeOf = (version: number): string | null => {
  const description = new URL(`node${version}/package.json`, folder)
  if (!existsSync(description)) return null
  const { bin }: { readonly bin: { readonly node: string } } = JSON.parse(
    readFileSync(description, 'utf8'),
  )
  return fileURLToPath(new URL(bin.node, description))
}
