/**
 * Divisions of row-major positions: `⌊(28·i + j) / 56⌋` with `j < 28` is `⌊i / 2⌋`, which leaves
 * the inner loop. Upsampling and the gradients of average pooling index this way.
 */
import { type Index, scalars } from '@cotangent/core'

const { affine, boundsOf, floorDivide, modulo, plus, times } = scalars

type Quotient = Extract<Index, { readonly tag: 'floorDivide' | 'modulo' }>

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b))

/** An equal index whose division is of fewer terms, or the index itself. */
export const narrowDivision = (i: Quotient): Index => {
  const { value, by } = i
  if (value.tag !== 'affine') return i
  const divisors = new Set(value.terms.map((t) => commonDivisor(by, Math.abs(t.coefficient))))
  for (const unit of [...divisors].sort((a, b) => b - a)) {
    if (unit === 1 || unit === by) continue
    // value = unit · above + below, with 0 ≤ below < unit.
    const whole = value.terms.filter((t) => t.coefficient % unit === 0)
    const part = value.terms.filter((t) => t.coefficient % unit !== 0)
    const carried = Math.floor(value.constant / unit)
    const below = affine(
      part.map((t) => [t.coefficient, t.term] as const),
      value.constant - carried * unit,
    )
    const [low, high] = boundsOf(below)
    if (low < 0 || high >= unit) continue
    const above = affine(
      whole.map((t) => [t.coefficient / unit, t.term] as const),
      carried,
    )
    if (i.tag === 'floorDivide') return floorDivide(above, by / unit)
    return plus(times(modulo(above, by / unit), unit), below)
  }
  return i
}
