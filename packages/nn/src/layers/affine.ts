/** The learned factor and offset after a normalisation, either of which can be left out. */
import { type Shape, type Tensor, fill } from '@cotangent/core'
import type { None } from '../layer.ts'

export interface AffineOptions {
  /** A learned factor; true by default. */
  readonly useScale?: boolean
  /** A learned offset; true by default. */
  readonly useBias?: boolean
}

export interface Scale {
  readonly scale: Tensor
}
export interface Bias {
  readonly bias: Tensor
}
export interface ScaleAndBias extends Scale, Bias {}

/** The parameters that these options leave. */
export type AffineParams<O> = O extends { readonly useScale: false }
  ? O extends { readonly useBias: false }
    ? None
    : Bias
  : O extends { readonly useBias: false }
    ? Scale
    : ScaleAndBias

/** Either may be absent. */
export interface MaybeAffine {
  readonly scale?: Tensor
  readonly bias?: Tensor
}

/** Ones and zeros. */
export const affineParams = (
  { useScale = true, useBias = true }: AffineOptions,
  shape: Shape,
): MaybeAffine => ({
  ...(useScale ? { scale: fill(shape, 1, 'float32') } : {}),
  ...(useBias ? { bias: fill(shape, 0, 'float32') } : {}),
})
