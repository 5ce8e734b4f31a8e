/** Linear layers over several axes: dense over any of them, and any contraction. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  listOfNumbers,
  normalizeAxis,
  sizeOf,
} from '@cotangent/core'
import { np, prims, random } from '@cotangent/ops'
import { requireExtent } from '../errors.ts'
import { type Initializer, lecunNormal, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'
import type { KernelOptions, MaybeBias } from './dense.ts'

export interface DenseGeneralOptions extends KernelOptions {
  /** The axes that are contracted; the last by default. */
  readonly axis?: number | readonly number[]
  /** Axes with a kernel and a bias for each position; none by default. They come first in the output. */
  readonly batchAxis?: number | readonly number[]
}

const normalized = (axis: number | readonly number[], rank: number): readonly number[] =>
  listOfNumbers('denseGeneral', 'the axis', axis).map((a) => normalizeAxis('denseGeneral', a, rank))

const others = (rank: number, axes: readonly number[]): readonly number[] =>
  Array.from({ length: rank }, (_, d) => d).filter((d) => !axes.includes(d))

/**
 * Contracts several axes with a kernel: the remaining axes, then `features`. Parameters
 * `kernel: [...batch, ...contracted, ...features]` and `bias: [...batch, ...features]`.
 * @example
 * denseGeneral([2, 3], { axis: [-2, -1] }) // [8, 4, 5] to [8, 2, 3], kernel [4, 5, 2, 3]
 */
export const denseGeneral = (
  features: number | readonly number[],
  options: DenseGeneralOptions = {},
): Layer<MaybeBias, None, 'denseGeneral'> => {
  const { axis = -1, batchAxis = [], useBias = true } = options
  const { kernelInit = lecunNormal(), biasInit = zeros } = options
  const outputs = listOfNumbers('denseGeneral', 'features', features)
  return defineLayer({
    name: 'denseGeneral',
    init: (key, shape) => {
      const [axes, batch] = [normalized(axis, shape.length), normalized(batchAxis, shape.length)]
      const [inputs, places] = [axes, batch].map((ds) => ds.map((d) => shape[d]!))
      const [kernelKey, biasKey] = random.split(key)
      // Drawn as matrices, so that the variance is that of all inputs together.
      const matrix = [sizeOf(inputs!), sizeOf(outputs)]
      const kernel =
        places!.length === 0
          ? kernelInit(kernelKey!, matrix)
          : np.stack(
              Array.from({ length: sizeOf(places!) }, (_, i) =>
                kernelInit(random.foldIn(kernelKey!, i), matrix),
              ),
            )
      const whole = kernel.reshape([...places!, ...inputs!, ...outputs])
      const biasShape = [...places!, ...outputs]
      const rest = others(shape.length, [...axes, ...batch]).map((d) => shape[d]!)
      return {
        params: useBias
          ? { kernel: whole, bias: biasInit(biasKey!, biasShape) }
          : { kernel: whole },
        state: none,
        outputShape: [...places!, ...rest, ...outputs],
      }
    },
    apply: ({ params: { kernel, bias }, state }, x) => {
      const [axes, batch] = [normalized(axis, x.ndim), normalized(batchAxis, x.ndim)]
      const paired = [...batch, ...axes]
      paired.forEach((a, i) =>
        requireExtent('denseGeneral', x.shape, a, kernel.shape[i]!, 'features'),
      )
      const y = prims.dotGeneral(x, kernel, {
        contract: [axes, axes.map((_, i) => batch.length + i)],
        batch: [batch, batch.map((_, i) => i)],
      })
      if (bias === undefined) return [y, state]
      const between = others(x.ndim, paired).map(() => 1)
      const [front, back] = [kernel.shape.slice(0, batch.length), outputs]
      return [y.add(bias.reshape([...front, ...between, ...back])), state]
    },
  })
}

export interface EinsumOptions {
  /** Adds a learned offset, `[…]` as given here; none by default. */
  readonly biasShape?: Shape
  readonly kernelInit?: Initializer
  readonly biasInit?: Initializer
}

/**
 * Any contraction of the input with a learned kernel: `subscripts` has the input first, then the kernel.
 * @throws ShapeError where the subscripts have no arrow or not two operands.
 * @example
 * einsum('bti,inh->btnh', [16, 4, 8]) // to four heads of eight features
 */
export const einsum = (
  subscripts: string,
  kernelShape: Shape,
  { biasShape, kernelInit = lecunNormal(), biasInit = zeros }: EinsumOptions = {},
): Layer<MaybeBias, None, 'einsum'> => {
  if (!/^[^,]+,[^,]+->/.test(subscripts)) {
    throw new ShapeError({
      operation: 'einsum',
      problem: 'the subscripts are of the input, the kernel and the output',
      got: subscripts,
      want: 'for instance bti,io->bto',
      fix: 'write input,kernel->output',
    })
  }
  const contract = (x: Tensor, kernel: Tensor): Tensor => np.einsum(subscripts, x, kernel)
  const shapeAfter = (shape: Shape): Shape => {
    const [from, to] = subscripts.replaceAll(' ', '').split('->')
    const [x, k] = from!.split(',')
    const extents = new Map<string, number>()
    ;[...x!].forEach((label, d) => extents.set(label, shape[d] ?? 1))
    ;[...k!].forEach((label, d) => extents.set(label, kernelShape[d] ?? 1))
    return [...to!].map((label) => extents.get(label) ?? 1)
  }
  return defineLayer({
    name: 'einsum',
    init: (key, shape) => {
      const [kernelKey, biasKey] = random.split(key)
      const kernel = kernelInit(kernelKey!, kernelShape)
      return {
        params:
          biasShape === undefined ? { kernel } : { kernel, bias: biasInit(biasKey!, biasShape) },
        state: none,
        outputShape: shapeAfter(shape),
      }
    },
    apply: ({ params: { kernel, bias }, state }, x) => {
      const y = contract(x, kernel)
      return [bias === undefined ? y : y.add(bias), state]
    },
  })
}
