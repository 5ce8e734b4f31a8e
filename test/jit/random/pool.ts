/** Random programs: the values so far, and how exactly compiled code must reproduce each of them. */
import { type DType, type Tensor, isFloat, isHalf, isInteger, sizeOf } from '@cotangent/core'
import { np } from '@cotangent/ops'

/** One operation of a random program. The numbers choose operands and parameters, modulo what there is. */
export interface Step {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly c: number
  /** What a loop body, branch or inner function does. */
  readonly body: readonly Step[]
}

/**
 * A tensor, and how far a compiled result may be from the interpreted one, relative to the largest
 * value of the program: 0 for integers, bools and elementwise float32, which must agree to the bit.
 */
export interface Value {
  readonly tensor: Tensor
  readonly tolerance: number
}

export const exact = 0
/** Sums are reordered and transcendental functions approximated. */
export const close = 2e-4
/** Half floats are rounded at stores only. */
export const rough = 6e-2

/** Results with more elements than this are left out, so that programs stay fast. */
const sizeLimit = 480

export interface PoolOptions {
  /** Values that are not exact are left out: a loop would amplify the difference. */
  readonly exactOnly: boolean
  /** Loops of unknown length are left out: they have no reverse mode. */
  readonly reversible: boolean
  /** Custom reverse rules are left out: they have no forward mode. */
  readonly forward: boolean
  /** Results with more elements than this are left out; 480. */
  readonly sizeLimit?: number
}

export class Pool {
  readonly values: Value[]
  readonly options: PoolOptions

  constructor(values: readonly Value[], options: PoolOptions) {
    this.values = values.filter((v) => !options.exactOnly || v.tolerance === exact)
    this.options = options
  }

  add(tensor: Tensor, tolerance: number): void {
    const own = isHalf(tensor.dtype) ? Math.max(tolerance, rough) : tolerance
    if (
      tensor.size > (this.options.sizeLimit ?? sizeLimit) ||
      (this.options.exactOnly && own > exact)
    )
      return
    this.values.push({ tensor, tolerance: own })
  }

  /** The `n`th value that fits, counting from the newest and around. */
  pick(n: number, fits: (v: Value) => boolean = () => true): Value | undefined {
    const found = this.values.filter(fits)
    return found.length === 0 ? undefined : found[found.length - 1 - (n % found.length)]
  }

  exactly(n: number, fits: (t: Tensor) => boolean = () => true): Tensor | undefined {
    return this.pick(n, (v) => v.tolerance === exact && fits(v.tensor))?.tensor
  }
}

export const isReal = ({ tensor }: Value): boolean => isFloat(tensor.dtype)
export const isWhole = (t: Tensor): boolean => isInteger(t.dtype)
export const isMatrix = ({ tensor }: Value): boolean => tensor.ndim >= 2 && tensor.size > 0
export const worst = (...values: readonly Value[]): number =>
  Math.max(exact, ...values.map((v) => v.tolerance))

export const compatible = (a: readonly number[], b: readonly number[]): boolean => {
  const rank = Math.min(a.length, b.length)
  for (let d = 1; d <= rank; d++) {
    const [x, y] = [a.at(-d)!, b.at(-d)!]
    if (x !== y && x !== 1 && y !== 1) return false
  }
  return true
}

/** The tensor as another type, by repeating or cutting its elements. */
export const coerce = (x: Tensor, shape: readonly number[], dtype: DType): Tensor => {
  const size = sizeOf(shape)
  const enough = x.size === 0 && size > 0 ? np.ones(shape) : x
  const same = enough.shape.length === shape.length && enough.shape.every((n, d) => n === shape[d])
  const shaped = same ? enough : np.resize(enough, shape)
  return shaped.dtype === dtype ? shaped : shaped.astype(dtype)
}

/** A digit of `n`: several small parameters from one number. */
export const digit = (n: number, position: number, base: number): number =>
  Math.floor(n / 7 ** position) % base
