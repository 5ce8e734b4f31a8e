/** Eager loops, branches and calls: compiled once for graphs that are equal, if not the same. */
import {
  type AnyPrimitive,
  type Aval,
  Concrete,
  type Graph,
  sealed,
  subgraphs,
} from '@cotangent/core'
import type { Executable } from '../executable.ts'
import { type Operation, type Strategy, graphOf, strategyOf } from './operation.ts'
import { sameParams } from './params.ts'
import { type Tokens, hashTokens, sameTokens, tokensOf } from './tokens.ts'

/** A primitive that holds graphs, at one combination of types and graphs. */
export interface Region extends Operation {
  readonly tokens: Tokens
  readonly hash: number
  readonly strategy: Strategy
  /** Rounds of loops that compiling it is worth. */
  readonly patience: number
  executable: Executable | null
  /** How much has been interpreted so far, in rounds. */
  work: number
  wasUsed: boolean
}

const capacity = 256
/** What compiling one equation is worth, in interpreted rounds. */
const equationWork = 60_000

/**
 * Graphs with more elements in constants are kept no longer than by whoever made them: the cache
 * must not keep somebody's data alive.
 */
const mostConstants = 4096

const constantElements = (tokens: Tokens): number =>
  tokens.reduce<number>((n, token) => (token instanceof Concrete ? n + token.size : n), 0)

const sameTypes = (types: readonly Aval[], inputs: readonly Concrete[]): boolean => {
  if (types.length !== inputs.length) return false
  for (let i = 0; i < types.length; i++) if (types[i] !== inputs[i]!.aval) return false
  return true
}

const countEquations = (graph: Graph): number =>
  graph.equations.reduce(
    (n, e) => subgraphs(e.params).reduce((m, [, inner]) => m + countEquations(inner), n + 1),
    0,
  )

export class Regions {
  /** By the first of its graphs: a graph that is kept is found without looking into it. */
  #known = new WeakMap<Graph, Region>()
  readonly #seen = new WeakSet<object>()
  readonly #buckets = new Map<number, readonly Region[]>()
  readonly #all = new Set<Region>()

  get size(): number {
    return this.#all.size
  }

  find(primitive: AnyPrimitive, inputs: readonly Concrete[], params: unknown): Region {
    const first = subgraphs(params)[0]![1]
    const known = this.#known.get(first)
    if (
      known !== undefined &&
      known.primitive === primitive &&
      sameTypes(known.types, inputs) &&
      sameParams(known.params, params)
    ) {
      known.wasUsed = true
      return known
    }
    const types = inputs.map((x) => x.aval)
    const tokens = tokensOf(types, params)
    const hash = hashTokens(tokens)
    const bucket = this.#buckets.get(hash) ?? []
    const equal = bucket.find((r) => r.primitive === primitive && sameTokens(r.tokens, tokens))
    const region = equal ?? this.#add(primitive, types, params, tokens, hash)
    region.wasUsed = true
    this.#known.set(first, region)
    return region
  }

  #add(
    primitive: AnyPrimitive,
    types: readonly Aval[],
    params: unknown,
    tokens: Tokens,
    hash: number,
  ): Region {
    const given: readonly Aval[] = primitive.typing(types, params)
    const operation = { primitive, types, strides: null, params, outputs: given.map(sealed) }
    const region: Region = {
      ...operation,
      tokens,
      hash,
      strategy: strategyOf(operation),
      patience: equationWork * (countEquations(graphOf(operation)) + 4),
      executable: null,
      work: 0,
      wasUsed: false,
    }
    const isKept = constantElements(tokens) <= mostConstants && this.#areKnown(tokens)
    if (!isKept) return region
    this.#buckets.set(hash, [...(this.#buckets.get(hash) ?? []), region])
    this.#all.add(region)
    if (this.#all.size > capacity) this.#evict()
    return region
  }

  // Functions and instances that come anew at every call would be kept for nothing.
  #areKnown(tokens: Tokens): boolean {
    let areKnown = true
    for (const token of tokens) {
      if (typeof token !== 'function' && (typeof token !== 'object' || token === null)) continue
      if (token instanceof Concrete || this.#seen.has(token)) continue
      this.#seen.add(token)
      areKnown = false
    }
    return areKnown
  }

  clear(): void {
    this.#known = new WeakMap()
    this.#buckets.clear()
    this.#all.clear()
  }

  // What was used since its last turn gets another one.
  #evict(): void {
    for (const region of this.#all) {
      this.#all.delete(region)
      if (region.wasUsed) {
        region.wasUsed = false
        this.#all.add(region)
        continue
      }
      const rest = this.#buckets.get(region.hash)!.filter((r) => r !== region)
      if (rest.length === 0) this.#buckets.delete(region.hash)
      else this.#buckets.set(region.hash, rest)
      return
    }
  }
}
