/**
 * Convolution of a dilated input by phases. Between the elements of an input of dilation `d` lie
 * `d - 1` zeros, so that of all outputs at `d · q + r` only every `d`-th tap meets an element: each `r` is
 * a plain convolution with those taps, and nothing is multiplied by a zero. This is what the
 * cotangent of a strided convolution's input is made of.
 */
import { type Shape, type Tensor, fill, range, reshape } from '@cotangent/core'
import { concatenate } from './concatenate.ts'
import { slice } from './slice.ts'

/** Options of a convolution, one entry a spatial axis. */
export interface ConvOptions {
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly inputDilation: readonly number[]
  readonly kernelDilation: readonly number[]
  readonly groups: number
}

/** Whether a convolution falls into phases. */
export const suitsPhases = ({ strides, inputDilation, kernelDilation }: ConvOptions): boolean =>
  inputDilation.some((d) => d > 1) &&
  strides.every((s) => s === 1) &&
  kernelDilation.every((d) => d === 1) &&
  // More phases than this are more kernels than they are worth.
  inputDilation.reduce((a, b) => a * b, 1) <= 16

/** One phase along one axis: its first tap, how many it has, and the padding that it needs. */
interface Phase {
  readonly first: number
  readonly taps: number
  readonly padding: readonly [number, number]
}

const phaseOf = (
  r: number,
  extent: number,
  outputs: number,
  kernel: number,
  dilation: number,
  low: number,
): Phase => {
  const first = (((low - r) % dilation) + dilation) % dilation
  const taps = Math.max(0, Math.ceil((kernel - first) / dilation))
  const before = (low - r - first) / dilation
  return { first, taps, padding: [before, outputs + taps - 1 - extent - before] }
}

/**
 * The convolution of `x: [batch, channels, …]` with `w` to `shape`; `conv` computes the plain ones.
 */
export const phaseConv = (
  x: Tensor,
  w: Tensor,
  shape: Shape,
  options: ConvOptions,
  conv: (x: Tensor, w: Tensor, options: ConvOptions) => Tensor,
): Tensor => {
  const { inputDilation, padding, groups } = options
  const axes = range(inputDilation.length)
  const quotients = axes.map((d) => Math.ceil(shape[d + 2]! / inputDilation[d]!))
  const ones = axes.map(() => 1)
  // Outputs of all phases along the axes from `phases.length` on, interleaved.
  const joined = (phases: readonly Phase[]): Tensor => {
    const d = phases.length
    if (d === axes.length) return one(phases)
    const parts = range(inputDilation[d]!).map((r) => {
      const phase = phaseOf(
        r,
        x.shape[d + 2]!,
        quotients[d]!,
        w.shape[d + 2]!,
        inputDilation[d]!,
        padding[d]![0],
      )
      return joined([...phases, phase])
    })
    if (parts.length === 1) return parts[0]!
    const { shape: of } = parts[0]!
    const apart = [...of.slice(0, d + 3), 1, ...of.slice(d + 3)]
    const together = of.with(d + 2, of[d + 2]! * parts.length)
    return reshape(
      concatenate(
        parts.map((p) => reshape(p, apart)),
        d + 3,
      ),
      together,
    )
  }
  const one = (phases: readonly Phase[]): Tensor => {
    if (phases.some((p) => p.taps === 0)) {
      return fill([shape[0]!, shape[1]!, ...quotients], 0, x.dtype)
    }
    const starts = [0, 0, ...phases.map((p) => p.first)]
    const taps = slice(w, starts, w.shape, [1, 1, ...inputDilation])
    return conv(x, taps, {
      strides: ones,
      padding: phases.map((p) => p.padding),
      inputDilation: ones,
      kernelDilation: ones,
      groups,
    })
  }
  const whole = joined([])
  return slice(
    whole,
    whole.shape.map(() => 0),
    shape,
    whole.shape.map(() => 1),
  )
}
