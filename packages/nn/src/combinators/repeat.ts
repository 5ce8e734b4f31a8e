/** The same layer several times over, each time with its own parameters. */
import { IndexError, erase, typed } from '@cotangent/core'
import type {
  AnyLayer,
  InputOf,
  Layer,
  None,
  OutputOf,
  OutputShapeOf,
  ParamsOf,
  Part,
  Shapes,
  StateOf,
} from '../layer.ts'
import type { Tree } from './parts.ts'
import { serialOf } from './serial.ts'

/** 1 | 2 | … | N, for a literal N. */
type UpTo<
  N extends number,
  Seen extends readonly unknown[] = [],
  All = never,
> = Seen['length'] extends N ? All : UpTo<N, [...Seen, 1], All | [...Seen, 1]['length']>

type Count<N extends number> = number extends N ? number : UpTo<N> & number

type Times<N extends number, Name extends string, T> = keyof T extends never
  ? None
  : { readonly [K in `${Name}${Count<N>}`]: T }

interface Repeat {
  <const N extends number, L extends AnyLayer>(
    n: N,
    layer: L | ((i: number) => L),
  ): Layer<
    Times<N, L['name'], ParamsOf<L>>,
    Times<N, L['name'], StateOf<L>>,
    'serial',
    OutputOf<L>,
    InputOf<L>,
    OutputShapeOf<L>
  >
}

const build = (
  n: number,
  layer: AnyLayer | ((i: number) => AnyLayer),
): Layer<Tree, Tree, 'serial', unknown, unknown, Shapes> => {
  if (!Number.isInteger(n) || n < 1) {
    throw new IndexError({
      operation: 'repeat',
      problem: 'the number of repetitions is out of range',
      got: String(n),
      want: 'a positive integer',
      fix: 'leave the layer out instead of repeating it zero times',
    })
  }
  const make = typeof layer === 'function' ? layer : () => layer
  const parts = Array.from({ length: n }, (_, i): Part => {
    const made = make(i)
    return [`${made.name}${i + 1}`, made]
  })
  return serialOf(parts)
}

/**
 * `n` layers in series, each with parameters of its own: one layer, or made by a function of the
 * position from 0. They are named by kind and number.
 * @example
 * const { params } = repeat(3, dense(16)).init(key, [1, 16])
 * params.dense3.kernel
 * repeat(4, (i) => conv2d(16 << i, 3, { stride: 2, padding: 1 }))
 */
export const repeat: Repeat = typed(erase(build))
