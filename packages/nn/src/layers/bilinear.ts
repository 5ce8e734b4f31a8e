/** A layer of two inputs, linear in each. */
import { type Shape, type Tensor, TreeError, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireSize } from '../errors.ts'
import { bilinear as product } from '../functional/bilinear.ts'
import { lecunNormal, zeros } from '../initializers.ts'
import {
  type Layer,
  type None,
  type Shapes,
  defineComposite,
  isShape,
  listOfShapes,
  none,
} from '../layer.ts'
import type { Kernel, KernelAndBias, KernelOptions, MaybeBias } from './dense.ts'

type Pair = readonly [x: Tensor, z: Tensor]

interface Bilinear {
  (
    features: number,
    options: KernelOptions & { readonly useBias: false },
  ): Layer<Kernel, None, 'bilinear', Tensor, Pair>
  (
    features: number,
    options?: KernelOptions & { readonly useBias?: true },
  ): Layer<KernelAndBias, None, 'bilinear', Tensor, Pair>
  (features: number, options: KernelOptions): Layer<MaybeBias, None, 'bilinear', Tensor, Pair>
}

const pairOf = (shapes: Shapes): readonly [Shape, Shape] => {
  const [x, z, ...more] = listOfShapes(shapes)
  if (x !== undefined && z !== undefined && more.length === 0 && isShape(x) && isShape(z)) {
    return [x, z]
  }
  throw new TreeError({
    operation: 'bilinear',
    problem: 'the layer takes two tensors',
    got: `shapes ${JSON.stringify(shapes)}`,
    want: '[[batch, m], [batch, n]]',
    fix: 'put branches(…) or parallel(…) of two layers before it',
  })
}

const build = (
  features: number,
  options: KernelOptions = {},
): Layer<MaybeBias, None, 'bilinear', Tensor, Pair> => {
  const { useBias = true, biasInit = zeros } = options
  const { kernelInit = lecunNormal({ inAxis: [1, 2], outAxis: 0 }) } = options
  requireSize('bilinear', 'features', features)
  return defineComposite<MaybeBias, None, 'bilinear', Tensor, Pair>({
    name: 'bilinear',
    init: (key, shapes) => {
      const [x, z] = pairOf(shapes)
      const [kernelKey, biasKey] = random.split(key)
      const kernel = kernelInit(kernelKey!, [features, x.at(-1)!, z.at(-1)!])
      return {
        params: useBias ? { kernel, bias: biasInit(biasKey!, [features]) } : { kernel },
        state: none,
        outputShape: [...x.slice(0, -1), features],
      }
    },
    apply: ({ params: { kernel, bias }, state }, [x, z]) => {
      requireExtent('bilinear (first)', x.shape, x.ndim - 1, kernel.shape[1]!, 'features')
      requireExtent('bilinear (second)', z.shape, z.ndim - 1, kernel.shape[2]!, 'features')
      return [product(x, z, kernel, bias), state]
    },
  })
}

/**
 * y_o = x W_o zᵀ + b_o for two inputs: `[[…, m], […, n]]` to `[…, features]`. Parameters
 * `kernel: [features, m, n]` and, unless `useBias` is false, `bias: [features]`.
 * @throws TreeError where there are not two inputs.
 * @example
 * serial(parallel(dense(8), dense(4)), bilinear(3)).init(key, [[1, 5], [1, 6]]).outputShape // [1, 3]
 */
export const bilinear: Bilinear = typed(erase(build))
