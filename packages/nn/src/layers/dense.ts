/** Fully connected layers. */
import { type Shape, type Tensor, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../errors.ts'
import { type Initializer, lecunNormal, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'

export interface Kernel {
  readonly kernel: Tensor
}
export interface KernelAndBias extends Kernel {
  readonly bias: Tensor
}
export interface MaybeBias extends Kernel {
  readonly bias?: Tensor
}

export interface KernelOptions {
  /** Adds a learned offset to each output; true by default. */
  readonly useBias?: boolean
  /** Of the kernel; variance 1 / fan-in by default. */
  readonly kernelInit?: Initializer
  /** Zeros by default. */
  readonly biasInit?: Initializer
}

interface Dense {
  (
    features: number,
    options: KernelOptions & { readonly useBias: false },
  ): Layer<Kernel, None, 'dense'>
  (
    features: number,
    options?: KernelOptions & { readonly useBias?: true },
  ): Layer<KernelAndBias, None, 'dense'>
  (features: number, options: KernelOptions): Layer<MaybeBias, None, 'dense'>
}

const build = (features: number, options: KernelOptions = {}): Layer<MaybeBias, None, 'dense'> => {
  const { useBias = true, kernelInit = lecunNormal(), biasInit = zeros } = options
  requireSize('dense', 'features', features)
  return defineLayer({
    name: 'dense',
    traits: { kernelAxis: 1 },
    init: (key, inputShape) => {
      requireRank('dense', inputShape, (rank) => rank >= 1, '[…, features]')
      const kernelShape: Shape = [inputShape[inputShape.length - 1]!, features]
      const [kernelKey, biasKey] = random.split(key)
      const kernel = kernelInit(kernelKey!, kernelShape)
      return {
        params: useBias ? { kernel, bias: biasInit(biasKey!, [features]) } : { kernel },
        state: none,
        outputShape: [...inputShape.slice(0, -1), features],
      }
    },
    apply: ({ params: { kernel, bias }, state }, x) => {
      requireExtent('dense', x.shape, x.ndim - 1, kernel.shape[0]!, 'features')
      const y = x.matmul(kernel)
      return [bias === undefined ? y : y.add(bias), state]
    },
  })
}

/**
 * y = x W + b on the last axis: `[…, in]` to `[…, features]`. Parameters `kernel: [in, features]`
 * and, unless `useBias` is false, `bias: [features]`.
 * @throws ShapeError where the last axis is not the one it was initialised for.
 * @example
 * dense(10).init(random.key(0), [32, 784]).params.kernel.shape // [784, 10]
 */
export const dense: Dense = typed(erase(build))
