/** Blocks on top of each other. */
import { type Shape, Tensor, range } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireSize } from '../../errors.ts'
import { layerNorm } from '../../functional/normalization.ts'
import { type Layer, type None, defineLayer, none } from '../../layer.ts'
import { type BlockOptions, type NormParams, initNorm, modeOf } from './block.ts'
import type { AttentionCache } from './types.ts'

export interface StackOptions {
  /** Normalise what the last block gives; by default where blocks are pre-norm. */
  readonly finalNorm?: boolean
}
type BlockNames<N extends number, Seen extends readonly unknown[] = []> = number extends N
  ? `layer${number}`
  : Seen['length'] extends N
    ? never
    : `layer${[...Seen, unknown]['length'] & number}` | BlockNames<N, [...Seen, unknown]>

/** Blocks by name, and the last normalisation. */
export type StackParams<P, N extends number, O> = {
  readonly [K in BlockNames<N>]: P
} & (O extends {
  readonly finalNorm: true
}
  ? { readonly norm: NormParams }
  : O extends { readonly finalNorm: false }
    ? unknown
    : O extends { readonly normFirst: true }
      ? { readonly norm: NormParams }
      : unknown)

/** Caches by block. */
export type StackCache<C, N extends number> = { readonly [K in BlockNames<N>]: C }

/** `layer1`, `layer2`, … */
const blockNames = (layers: number): readonly string[] => range(layers).map((i) => `layer${i + 1}`)

/** The parameters of any number of blocks. */
export type StackTree<P> = Readonly<Record<string, P>> & { readonly norm?: NormParams }
export type CacheTree = Readonly<Record<string, AttentionCache>>

/** A layer over sequences, in inputs `X`, that can also go on step by step, from inputs `D`. */
export interface Stepwise<P, Cache, Name extends string, X, D>
  extends Layer<P, None, Name, Tensor, X> {
  /** An empty cache for `maxLength` steps. */
  initCache(params: P, batch: number, maxLength: number): Cache
  /** The outputs of the next steps, `[batch, n, features]`, which see those before them. */
  decode(params: P, cache: Cache, input: D): readonly [y: Tensor, cache: Cache]
}

type Sequenced = Tensor | { readonly inputs: Tensor }
const sequenceIn = (input: Sequenced): Tensor => (input instanceof Tensor ? input : input.inputs)

interface StackRecord<P, Name extends string, X, D> {
  readonly name: Name
  readonly layers: number
  readonly options: BlockOptions & StackOptions
  readonly block: Stepwise<P, AttentionCache, string, X, D>
  /** The same input with another sequence in it. */
  readonly over: (input: X, sequence: Tensor) => X
  readonly stepOver: (input: D, sequence: Tensor) => D
}

/** The same block so many times, with parameters of its own each time. */
export const stackOf = <P, const Name extends string, X extends Sequenced, D extends Sequenced>({
  name,
  layers,
  options,
  block,
  over,
  stepOver,
}: StackRecord<P, Name, X, D>): Stepwise<StackTree<P>, CacheTree, Name, X, D> => {
  const { normFirst = false, finalNorm = normFirst, epsilon = 1e-5, dropout = 0 } = options
  requireSize(name, 'layers', layers)
  const names = blockNames(layers)
  const last = (x: Tensor, norm: NormParams | undefined): Tensor =>
    norm === undefined ? x : layerNorm(x, norm, { epsilon })
  const layer = defineLayer<StackTree<P>, None, Name, Tensor, X>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape: Shape) => {
      const blocks = names.map((own, i) => [
        own,
        block.init(random.foldIn(key, i), inputShape).params,
      ])
      const norm = finalNorm ? { norm: initNorm(inputShape[2]!) } : {}
      const params = { ...Object.fromEntries(blocks), ...norm }
      return { params, state: none, outputShape: inputShape }
    },
    apply: ({ params, state }, input, mode) => {
      const y = names.reduce((x, own, i) => {
        const variables = { params: params[own]!, state: none }
        return block.apply(variables, over(input, x), modeOf(name, mode, dropout, i))[0]
      }, sequenceIn(input))
      return [last(y, params.norm), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: StackTree<P>, batch: number, maxLength: number) =>
      Object.freeze(
        Object.fromEntries(
          names.map((own) => [own, block.initCache(params[own]!, batch, maxLength)]),
        ),
      ),
    decode: (params: StackTree<P>, cache: CacheTree, input: D) => {
      const filled: [string, AttentionCache][] = []
      const y = names.reduce((x, own) => {
        const [outputs, next] = block.decode(params[own]!, cache[own]!, stepOver(input, x))
        filled.push([own, next])
        return outputs
      }, sequenceIn(input))
      return [last(y, params.norm), Object.freeze(Object.fromEntries(filled))] as const
    },
  })
}
