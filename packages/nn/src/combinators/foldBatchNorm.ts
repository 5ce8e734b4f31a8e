/** Networks without batch normalisation that compute what they computed with it. */
import { ShapeError, Tensor, reshape, showAval } from '@cotangent/core'
import { channelAxis } from '../functional/window.ts'
import {
  type AnyLayer,
  type Part,
  type TensorRecord,
  type Variables,
  kindOf,
  none,
} from '../layer.ts'
import { treeOf } from './parts.ts'

/** A layer with its parameters and state. */
export interface Folded extends Variables<unknown, unknown> {
  readonly layer: AnyLayer
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !(value instanceof Tensor)

const branch = (trees: unknown, name: string): unknown =>
  (isRecord(trees) ? trees[name] : undefined) ?? none

const tensors = (trees: unknown): TensorRecord =>
  isRecord(trees)
    ? Object.fromEntries(
        Object.entries(trees).flatMap(([name, leaf]) =>
          leaf instanceof Tensor ? [[name, leaf]] : [],
        ),
      )
    : {}

/** A step of a chain: a layer under its name, with its variables. */
interface Link extends Variables<unknown, unknown> {
  readonly part: Part
}

// Every output's slice of the kernel times its factor. Groups have their own inputs, along axis 0, and
// their own factors.
const scaled = (kernel: Tensor, axis: number, groups: number, factor: Tensor): Tensor => {
  const [inputs, ...rest] = kernel.shape
  const grouped = reshape(kernel, [groups, inputs! / groups, ...rest])
  const place = grouped.shape.map((extent, d) => (d === axis + 1 ? extent : d === 0 ? groups : 1))
  return reshape(grouped.mul(reshape(factor, place)), kernel.shape)
}

// (W x + b) · factor + offset, as the W and b of one layer.
const absorbed = (before: Link, after: Link): Link | null => {
  const { kernelAxis, groupedKernel, layout, leading = 0, shared } = before.part[1].traits ?? {}
  // What is shared is used elsewhere too, perhaps without the normalisation.
  if (shared !== undefined) return null
  const { axis, groups } = groupedKernel ?? { axis: kernelAxis, groups: 1 }
  const { affine, leading: also = 0 } = after.part[1].traits ?? {}
  const { kernel, bias } = tensors(before.params)
  if (axis === undefined || affine === undefined || kernel === undefined) return null
  const { axis: channels, factor, offset } = affine(tensors(after.params), tensors(after.state))
  if (leading !== also || kernel.shape[axis]! * groups !== factor.size) return null
  // Outputs of a convolution have as many axes as its kernel; they must lie along the same one.
  if (layout !== undefined) {
    const rank = kernel.ndim
    if ((channels + rank) % rank !== channelAxis(layout, rank)) return null
  }
  // The outputs of others lie along the last axis.
  if (layout === undefined && channels < -1) return null
  const params = Object.freeze({
    kernel: scaled(kernel, axis, groups, factor),
    bias: bias === undefined ? offset : bias.mul(factor).add(offset),
  })
  const [name, layer] = before.part
  // A dense layer's outputs lie along the last axis, whatever the rank: the normalised axis is that
  // one for inputs of one rank only.
  const part: Part =
    layout === undefined && channels >= 0
      ? [name, { ...layer, apply: onRank(layer, channels + 1 + leading) }]
      : before.part
  return { ...before, part, params }
}

const onRank =
  (layer: AnyLayer, rank: number): AnyLayer['apply'] =>
  (variables, x, mode) => {
    if (x instanceof Tensor && x.ndim !== rank) {
      throw new ShapeError({
        operation: layer.name,
        problem: `the batch normalisation folded into this layer was over axis ${rank - 1}, which is not the last axis of its output`,
        got: showAval(x.aval),
        want: `${rank} axes`,
        fix: 'normalise the features with batchNorm({ axis: -1 }), or run the network as it was before folding',
      })
    }
    return layer.apply(variables, x, mode)
  }

const foldChain = (links: readonly Link[]): readonly Link[] =>
  links.reduce<readonly Link[]>((chain, link) => {
    const last = chain[chain.length - 1]
    const joined = last === undefined ? null : absorbed(last, link)
    return joined === null ? [...chain, link] : [...chain.slice(0, -1), joined]
  }, [])

/**
 * The network with every batch normalisation that directly follows a convolution or a dense layer in
 * a `serial` folded into it: the same outputs in inference, to rounding, from fewer operations.
 * Kernels are multiplied and biases added along the outputs; other layers and their names stay. It
 * reaches into `timeDistributed`, and joins two of them that follow each other. A dense layer into
 * which a normalisation over axis n was folded takes inputs of n + 1 axes only, where that axis is the
 * features', and throws ShapeError for others.
 * @see Jacob et al. 2018, section 3.2
 * @example
 * const { layer, params, state } = foldBatchNorm(network, trained)
 * layer.apply({ params, state }, x)
 */
export const foldBatchNorm = (
  layer: AnyLayer,
  { params, state }: Variables<unknown, unknown>,
): Folded => {
  const { parts, withParts } = layer.traits ?? {}
  if (parts === undefined || withParts === undefined) return { layer, params, state }
  const inner = parts.map(([name, part]): Link => {
    const folded = foldBatchNorm(part, { params: branch(params, name), state: branch(state, name) })
    return { part: [name, folded.layer], params: folded.params, state: folded.state }
  })
  const chain = layer.traits?.isChain === true ? foldChain(inner) : inner
  const rebuilt = withParts(chain.map(({ part }) => part))
  return {
    layer: Object.freeze({
      ...rebuilt,
      name: layer.name,
      isNamed: layer.isNamed,
      traits: { ...rebuilt.traits, kind: kindOf(layer) },
    }),
    params: treeOf(chain.map((link) => [link.part[0], link.params])),
    state: treeOf(chain.map((link) => [link.part[0], link.state])),
  }
}
