/** Padding: where an element goes, and which element a place of the result comes from. */
import {
  type Aval,
  DTypeError,
  type Index,
  type NDArray,
  type Scalar,
  ShapeError,
  type Source,
  aval,
  makeArray,
  scalars,
  showAval,
  stridesOf,
} from '@cotangent/core'

const { boundsOf, floorDivide, guard, minus, modulo, within } = scalars

/** For each axis `[low, high, interior]`; negative low and high crop. */
export type Padding = readonly (readonly [low: number, high: number, interior: number])[]

const paddedExtent = (n: number, [low, high, interior]: Padding[number]): number =>
  low + high + n + Math.max(0, n - 1) * interior

/** The type of a padded array. @throws DTypeError or ShapeError */
export const padTyping = (x: Aval, value: Aval, padding: Padding): Aval => {
  if (value.dtype !== x.dtype) {
    throw new DTypeError({
      operation: 'pad',
      problem: 'the padding value must have the dtype of the input',
      got: `x: ${showAval(x)}, value: ${showAval(value)}`,
      fix: 'cast one of them first: primitives never do it for you',
    })
  }
  const shape = x.shape.map((n, d) => paddedExtent(n, padding[d] ?? [0, 0, 0]))
  const fits =
    padding.length === x.shape.length &&
    padding.every((p) => p.every(Number.isInteger) && p[2] >= 0) &&
    shape.every((n) => n >= 0)
  if (!fits || value.shape.length !== 0) {
    throw new ShapeError({
      operation: 'pad',
      problem: 'the padding does not fit the input',
      got: `x: ${showAval(x)}, value: ${showAval(value)}, padding [${padding.map((p) => `[${p.join(',')}]`).join(',')}]`,
      want: 'a scalar value, and [low, high, interior] for each axis, cropping no more than there is',
      fix: 'give three counts for each axis',
    })
  }
  return aval(shape, x.dtype, x.weak && value.weak)
}

export const evaluatePad = (x: NDArray, value: number, padding: Padding, type: Aval): NDArray => {
  const out = makeArray(type)
  out.data.fill(value)
  const strides = stridesOf(type.shape)
  const counters = new Array<number>(x.shape.length).fill(0)
  for (let from = 0; from < x.data.length; from++) {
    let to = 0
    let inside = true
    for (let d = 0; d < counters.length; d++) {
      const [low, , interior] = padding[d]!
      const at = low + counters[d]! * (1 + interior)
      inside &&= at >= 0 && at < type.shape[d]!
      to += at * strides[d]!
    }
    if (inside) out.data[to] = x.data[from]!
    for (let d = counters.length - 1; d >= 0; d--) {
      if (++counters[d]! < x.shape[d]!) break
      counters[d] = 0
    }
  }
  return out
}

// Where an output index lies on an element of `x`, that element; the padding value elsewhere. A
// condition that the index ranges already ensure is left out.
export const lowerPad = (
  x: Source,
  value: Scalar,
  padding: Padding,
  index: readonly Index[],
): Scalar => {
  const conditions: Scalar[] = []
  const require = (i: Index, high: number): void => {
    const [least, greatest] = boundsOf(i)
    if (least < 0 || greatest >= high) conditions.push(within(i, 0, high))
  }
  const inner = index.map((i, d) => {
    const [low, , interior] = padding[d]!
    const step = interior + 1
    const at = minus(i, low)
    require(at, Math.max(0, (x.shape[d]! - 1) * step + 1))
    if (step === 1) return at
    require(modulo(at, step), 1)
    return floorDivide(at, step)
  })
  const [first, ...rest] = conditions
  if (first === undefined) return x.at(inner)
  return guard(rest.reduce(scalars.both, first), x.at(inner), value)
}
