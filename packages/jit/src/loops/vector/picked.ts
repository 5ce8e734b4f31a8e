/**
 * Sums in which every term but one is zero, as of a row where its label is: the one is read, at an index from
 * data, when the other sums of the row are done. What would compare each term with the label takes as many
 * registers as it takes instructions.
 */
import { type DType, type Index, type Scalar, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import { walk } from '../visit.ts'
import type { VectorReductionSpec } from './nest.ts'

const { binaryOp, compareOp, convertTo, counter, dataIndex, guard, literal, local } = scalars

/** `counter` of the only reduced dim equals `position`, where the term is `value`; it is 0 elsewhere. */
interface Pick {
  readonly dtype: DType
  readonly position: Scalar
  readonly value: Scalar
}

/** The same results without the sums that pick a term; null where there are none, or no others. */
export const withoutPicks = (spec: VectorReductionSpec): VectorReductionSpec | null => {
  const { accumulators, extents } = spec
  const dim = onlyDim(extents)
  if (accumulators.length < 2 || dim === null) return null
  const name = `${spec.name ?? ''}picked`
  const accs = accumulators.map(({ dtype }, a) => local(dtype, `${name}${a}`))
  const output = spec.outputs.map((o) => counter(o.name, o.extent))
  const terms = extents.map((extent, d) => counter(`${name}k${d}`, extent))
  const steps = spec.step(accs, output, terms)
  const reduced = `${name}k${dim}`
  const picks = steps.map((s, a) =>
    accumulators[a]!.initial === 0 ? pickOf(s, accs, a, reduced) : null,
  )
  const left = accumulators.flatMap((_, a) => (picks[a] === null ? [a] : []))
  if (left.length === 0 || left.length === accumulators.length) return null
  const all = (given: readonly Scalar[], others: (a: number) => Scalar): readonly Scalar[] =>
    accumulators.map((_, a) => (picks[a] === null ? given[left.indexOf(a)]! : others(a)))
  return {
    ...spec,
    accumulators: left.map((a) => accumulators[a]!),
    step: (given, out, k) => {
      const made = spec.step(
        all(given, (a) => accs[a]!),
        out,
        k,
      )
      return left.map((a) => made[a]!)
    },
    finish: (given, out) => {
      const counters = new Map(spec.outputs.map((o, d) => [o.name, out[d]!]))
      const at = substitution({ counters })
      return spec.finish(
        all(given, (a) => termAt(picks[a]!, reduced, extents[dim]!, at.scalar)),
        out,
      )
    },
  }
}

const onlyDim = (extents: readonly number[]): number | null => {
  const long = extents.flatMap((extent, d) => (extent === 1 ? [] : [d]))
  return long.length === 1 ? long[0]! : null
}

const pickOf = (
  step: Scalar,
  accs: readonly Scalar[],
  own: number,
  reduced: string,
): Pick | null => {
  if (step.tag !== 'binary' || step.op !== 'add' || step.x !== accs[own]) return null
  const { dtype, y } = step
  const term = y.tag === 'convert' ? y.x : y
  if (term.tag !== 'select' || term.condition.tag !== 'compare') return null
  const { onFalse, onTrue, condition } = term
  // What the sums came to before this term is not known when the row is done.
  if (dependsOn(term, (node) => accs.some((acc) => acc === node))) return null
  if (condition.op !== 'equal' || onFalse.tag !== 'literal' || onFalse.value !== 0) return null
  const sides: readonly (readonly [Scalar, Scalar])[] = [
    [condition.x, condition.y],
    [condition.y, condition.x],
  ]
  for (const [counted, position] of sides) {
    if (counted.tag !== 'fromIndex' || counted.dtype !== 'int32') continue
    const { value } = counted
    if (value.tag !== 'counter' || value.name !== reduced) continue
    if (dependsOn(position, (node) => node.tag === 'counter' && node.name === reduced)) continue
    return { dtype, position, value: onTrue }
  }
  return null
}

const dependsOn = (s: Scalar, isIt: (node: Scalar | Index) => boolean): boolean => {
  let found = false
  const look = (node: Scalar | Index): void => {
    if (isIt(node)) found = true
  }
  walk({ scalar: look, index: look }).scalar(s)
  return found
}

// Added to zero, as the sum is: −0 becomes 0.
const termAt = (
  { dtype, position, value }: Pick,
  reduced: string,
  extent: number,
  placed: (s: Scalar) => Scalar,
): Scalar => {
  const at = placed(position)
  const index: Index = dataIndex(at, 0, extent - 1)
  const zero = literal(dtype, 0)
  const term = substitution({ counters: new Map([[reduced, index]]) }).scalar(placed(value))
  const isInside = binaryOp(
    'and',
    compareOp('greaterEqual', at, literal('int32', 0)),
    compareOp('less', at, literal('int32', extent)),
  )
  return guard(isInside, binaryOp('add', convertTo(dtype, term), zero), zero)
}
