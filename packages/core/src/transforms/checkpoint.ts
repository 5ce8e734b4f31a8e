/** Recomputation in the backward pass, and stopping gradients. */
import { leafTensor } from '../convert.ts'
import { isTracing, bind, bind1 } from '../trace.ts'
import { type Primitive, definePrimitive, nonlinear, wholeEquation, zero } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { flatten, unflatten } from '../tree/structure.ts'
import { erase, traceTree, typed } from './apply.ts'
import { callP, interpretCall } from './call.ts'
import type { SavePolicy } from './recompute.ts'

export interface CheckpointOptions {
  /**
   * What the forward pass keeps beside the inputs: `'nothing'` (default), `'dots'` (results of
   * matrix products and convolutions), `'everything'`, or a test on primitive names.
   */
  readonly policy?: 'nothing' | 'dots' | 'everything' | SavePolicy
}

const policies: Readonly<Record<'nothing' | 'dots' | 'everything', SavePolicy>> = {
  nothing: () => false,
  dots: (primitive) => primitive === 'dotGeneral' || primitive === 'conv',
  everything: () => true,
}

/**
 * The same function, whose intermediate values are computed again in the backward pass instead of
 * being kept: less memory for more time.
 * @see Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost
 * @example
 * grad((x: Tensor) => checkpoint((y: Tensor) => y.sin().sin())(x).sum())(tensor([1, 2]))
 */
export const checkpoint = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: CheckpointOptions = {},
): ((...args: A) => R) => {
  const { policy = 'nothing' } = options
  const recompute = typeof policy === 'string' ? policies[policy] : policy
  return typed((...args) => {
    if (!isTracing()) return erase(f)(...args)
    const { leaves, structure } = flatten(args, 'checkpoint')
    const xs = leaves.map(leafTensor)
    const traced = traceTree(
      'checkpoint',
      erase(f),
      structure,
      xs.map((x) => x.aval),
    )
    const params = { name: 'checkpoint', graph: traced.graph, execute: interpretCall, recompute }
    return unflatten(traced.structure, bind(callP, [...traced.captures, ...xs], params))
  })
}

/** The identity, with a derivative of zero. */
export const stopGradientP: Primitive<readonly ['x'], null> = definePrimitive({
  name: 'stopGradient',
  slots: ['x'],
  typing: ([x]) => [x],
  evaluate: ([x]) => [x],
  jvp: { x: zero },
  transpose: { x: nonlinear },
  partition: wholeEquation,
  batch: ([x], [dim]) => ({ outputs: [bind1(stopGradientP, [x], null)], dims: [dim] }),
  lower: ([x]) => ({ tag: 'pull', cost: 'movement', outputs: [(index) => x.at(index)] }),
  effectful: false,
})

/**
 * Every leaf unchanged, and constant as far as derivatives go.
 * @example
 * grad((x: Tensor) => stopGradient(x).mul(x))(tensor(3)) // 3
 */
export const stopGradient = <T>(tree: T): T => {
  const { leaves, structure } = flatten(tree, 'stopGradient')
  return unflatten(
    structure,
    leaves.map((leaf): Tensor => bind1(stopGradientP, [leafTensor(leaf)], null)),
  )
}
