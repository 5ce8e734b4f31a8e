/** Subscripts of `einsum`: letters, repeated or not, and one ellipsis for the leading axes. */
import { ShapeError, type Tensor, describeValue, range, showAval } from '@cotangent/core'

/** Every axis of an operand has a label; equal labels are the same index. */
export interface Labelled {
  readonly x: Tensor
  readonly labels: readonly string[]
}

export interface EinsumProgram {
  readonly operands: readonly Labelled[]
  readonly output: readonly string[]
}

const malformed = (subscripts: string, problem: string, got?: string): ShapeError =>
  new ShapeError({
    operation: 'np.einsum',
    problem,
    got: got ?? JSON.stringify(subscripts),
    fix: 'write one letter for each axis, commas between operands, "..." for further axes: "...ij,jk->...ik"',
  })

// "a...b" with the ellipsis spelled out as labels '.0', '.1', …, right-aligned so that they broadcast.
const labelsOf = (term: string, rank: number, subscripts: string): readonly string[] => {
  const parts = term.split('...')
  if (parts.length > 2 || !/^[A-Za-z]*$/.test(parts.join(''))) {
    throw malformed(
      subscripts,
      'the term is not made of letters and one ellipsis',
      JSON.stringify(term),
    )
  }
  const letters = parts.map((part) => part.split(''))
  const named = letters.flat().length
  if (parts.length === 1 ? named !== rank : named > rank) {
    throw malformed(
      subscripts,
      'the term does not have one label for each axis',
      `${JSON.stringify(term)} for rank ${rank}`,
    )
  }
  const [head, tail = []] = letters
  if (parts.length === 1) return head!
  const missing = rank - named
  return [...head!, ...range(missing).map((i) => `.${missing - 1 - i}`), ...tail]
}

const isEllipsis = (label: string): boolean => label.startsWith('.')

// Ellipsis axes first, then letters that occur once, in alphabetical order.
const implicitOutput = (operands: readonly Labelled[]): readonly string[] => {
  const all = operands.flatMap(({ labels }) => labels)
  const letters = [...new Set(all.filter((label) => !isEllipsis(label)))]
  const single = letters.filter((letter) => all.filter((label) => label === letter).length === 1)
  return [...ellipsisLabels(operands), ...single.sort()]
}

const ellipsisLabels = (operands: readonly Labelled[]): readonly string[] => {
  const deepest = Math.max(0, ...operands.map(({ labels }) => labels.filter(isEllipsis).length))
  return range(deepest).map((i) => `.${deepest - 1 - i}`)
}

const explicitOutput = (
  term: string,
  operands: readonly Labelled[],
  subscripts: string,
): readonly string[] => {
  const ellipsis = ellipsisLabels(operands)
  const letters = term.replace('...', '').length
  const spelled = labelsOf(term, letters + (term.includes('...') ? ellipsis.length : 0), subscripts)
  const known = new Set(operands.flatMap(({ labels }) => labels))
  if (new Set(spelled).size !== spelled.length) {
    throw malformed(subscripts, 'a label occurs twice in the output')
  }
  const unknown = spelled.find((label) => !known.has(label))
  if (unknown === undefined) return spelled
  throw malformed(subscripts, `the output label ${unknown} occurs in no operand`)
}

/** Labels for operands and output. @throws ShapeError for subscripts that do not fit. */
export const parseEinsum = (subscripts: string, xs: readonly Tensor[]): EinsumProgram => {
  if (typeof subscripts !== 'string') {
    throw malformed(
      '',
      'the subscripts, which come first, are no string',
      describeValue(subscripts),
    )
  }
  const compact = subscripts.replaceAll(/\s/g, '')
  const sides = compact.split('->')
  const terms = sides[0]!.split(',')
  if (sides.length > 2) throw malformed(subscripts, 'there is more than one arrow')
  if (terms.length !== xs.length) {
    throw malformed(
      subscripts,
      'there must be one term for each operand',
      `${terms.length} terms for ${xs.length} operands (${xs.map((x) => showAval(x.aval)).join(', ')})`,
    )
  }
  const operands = xs.map(
    (x, i): Labelled => ({ x, labels: labelsOf(terms[i]!, x.ndim, subscripts) }),
  )
  const output = sides[1]
  return {
    operands,
    output:
      output === undefined
        ? implicitOutput(operands)
        : explicitOutput(output, operands, subscripts),
  }
}

/** The extent of every label; 1 broadcasts. @throws ShapeError where extents differ. */
export const labelExtents = (
  subscripts: string,
  operands: readonly Labelled[],
): ReadonlyMap<string, number> => {
  const extents = new Map<string, number>()
  for (const { x, labels } of operands) {
    labels.forEach((label, d) => {
      const known = extents.get(label) ?? 1
      const here = x.shape[d]!
      if (known !== 1 && here !== 1 && known !== here) {
        throw malformed(
          subscripts,
          `the label ${isEllipsis(label) ? '...' : label} has extents ${known} and ${here}`,
          operands.map((o) => `${o.labels.join('')} ${showAval(o.x.aval)}`).join(', '),
        )
      }
      extents.set(label, known === 1 ? here : known)
    })
  }
  return extents
}
