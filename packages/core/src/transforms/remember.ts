/** A memory of what was derived from graphs. */
import type { Graph } from '../graph.ts'

/** Keyed by a graph's identity and a text; forgotten with the graph. */
export const remember = <T>(): ((graph: Graph, key: string, make: () => T) => T) => {
  const cache = new WeakMap<Graph, Map<string, T>>()
  return (graph: Graph, key: string, make: () => T): T => {
    let entries = cache.get(graph)
    if (entries === undefined) {
      entries = new Map()
      cache.set(graph, entries)
    }
    const found = entries.get(key)
    if (found !== undefined) return found
    const made = make()
    entries.set(key, made)
    return made
  }
}

/** Flags as text, for keys of `remember`. */
export const mask = (flags: readonly boolean[]): string =>
  flags.map((f) => (f ? '1' : '0')).join('')
