/** Where two runs of the programs differ. */
import type { Report, Values } from './run.ts'

type Results = Report[string]

const isNear = (got: string, wanted: string, tolerance: number): boolean =>
  got === wanted ||
  (tolerance > 0 &&
    Math.abs(Number(got) - Number(wanted)) <= tolerance * Math.max(1, Math.abs(Number(wanted))))

const differenceOf = (
  got: Values | undefined,
  wanted: Values,
  tolerance: number,
): string | null => {
  if (got?.type !== wanted.type) return `${got?.type ?? 'nothing'} instead of ${wanted.type}`
  const wrong = wanted.elements.flatMap((x, i) =>
    isNear(got.elements[i] ?? 'nothing', x, tolerance) ? [] : [i],
  )
  const [first] = wrong
  if (first === undefined) return null
  const example = `${got.elements[first]} instead of ${wanted.elements[first]} at ${first}`
  return `${wrong.length} of ${wanted.elements.length} elements, ${example}`
}

/**
 * What one mode gave, against what was wanted of it: one line for each tensor that differs. Numbers
 * may differ by `tolerance`, relative to those beyond 1; with none, they are the same to the bit.
 */
export const differences = (
  got: Results | undefined,
  wanted: Results | undefined,
  tolerance = 0,
): readonly string[] =>
  Object.entries(wanted ?? { nothing: [] }).flatMap(([program, tensors]) => {
    const own = got?.[program]
    if (own?.length !== tensors.length) return [`${program}: ${own?.length ?? 'no'} tensors`]
    return tensors.flatMap((values, i) => {
      const difference = differenceOf(own[i], values, tolerance)
      return difference === null ? [] : [`${program}, result ${i}: ${difference}`]
    })
  })
