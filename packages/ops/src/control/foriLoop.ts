/** `foriLoop`: a counted loop. */
import {
  type Promotable,
  ShapeError,
  type Tensor,
  type TensorLike,
  add,
  asTensor,
  fill,
  isConcrete,
  leafAval,
  promote,
  showAval,
} from '@cotangent/core'
import { cast } from '../promote.ts'
import { lt } from '../prims/compare.ts'
import { iota } from '../prims/structural.ts'
import { type ScanOptions, scan } from './scan.ts'
import type { Like, Tensors } from './trees.ts'
import { whileLoop } from './whileLoop.ts'

type Bound = Tensor | number

const scalarBound = (bound: TensorLike): Tensor => {
  const x = asTensor(bound)
  if (x.ndim === 0) return x
  throw new ShapeError({
    operation: 'foriLoop',
    problem: 'a bound is one number',
    got: showAval(x.aval),
    want: 'a scalar',
    fix: 'give a number or a scalar tensor',
  })
}

const known = (bound: Bound): number | null => {
  if (typeof bound === 'number') return bound
  return isConcrete(bound) ? bound.item() : null
}

/**
 * `carry = body(i, carry)` for `i` from `low` up to, not including, `high`. Bounds that are known
 * make it a scan, which can be differentiated in both modes; traced ones make it a while loop, in
 * forward mode only.
 * @throws ShapeError for a bound that is no scalar, and as `scan` and `whileLoop` do.
 * @example
 * foriLoop(0, 5, (i, sum) => sum.add(i), 0) // 10
 */
export const foriLoop = <const C>(
  low: Bound,
  high: Bound,
  body: (i: Tensor, carry: Tensors<C>) => Like<C>,
  init: C,
  options: Pick<ScanOptions, 'unroll' | 'checkpoint'> = {},
): Tensors<C> => {
  const type = promote([leafAval(low), leafAval(high)])
  const [from, to] = [scalarBound(low), scalarBound(high)]
  const [first, end] = [known(low), known(high)]
  if (first === null || end === null) return loopWhile(from, to, type, body, init)
  const length = Math.max(0, Math.ceil(end - first))
  const start = fill([length], first, type.dtype)
  const counter = cast(add(iota(type.dtype, [length], 0), start), type.dtype, type.weak)
  const [last] = scan(
    (carry: Tensors<C>, i: Tensor): readonly [Like<C>, null] => [body(i, carry), null],
    init,
    counter,
    options,
  )
  return last
}

const loopWhile = <C>(
  low: Tensor,
  high: Tensor,
  { dtype, weak }: Promotable,
  body: (i: Tensor, carry: Tensors<C>) => Like<C>,
  init: C,
): Tensors<C> => {
  const [first, end] = [cast(low, dtype, weak), cast(high, dtype, weak)]
  const one = fill([], 1, dtype, weak)
  const last = whileLoop(
    ([i]) => lt(i, end),
    ([i, carry]) => [add(i, one), body(i, carry)],
    [first, init],
  )
  return last[1]
}
