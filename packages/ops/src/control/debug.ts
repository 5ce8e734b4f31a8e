/** Looking into running programs: under jit, vmap, loops and derivatives alike. */
import {
  type NDArray,
  NumericsError,
  type Structure,
  type TensorLike,
  TreeError,
  asTensor,
  bind,
  flatten,
  formatTensor,
  leafTensor,
  unflatten,
  userLocation,
} from '@cotangent/core'
import { asCondition } from '../promote.ts'
import { hostP } from './effects.ts'

export {
  type GradientLimits,
  type GradientReport,
  type GradientVerdict,
  type LayerGradient,
  gradients,
} from './gradients.ts'
export { nans } from './nans.ts'

let write: (line: string) => void = (line) => {
  console.log(line)
}

/** Sends what `print` writes somewhere else; returns the writer that was in place. */
export const printTo = (writer: (line: string) => void): ((line: string) => void) => {
  const previous = write
  write = writer
  return previous
}

/**
 * Prints values when the program runs: each `{}` in the format is replaced by one value, a tree.
 * Under vmap it prints once for each example, in a loop once for each step, under derivatives the
 * values of the forward pass.
 * @throws TreeError when the number of values is not that of the placeholders.
 * @example
 * jit((x: Tensor) => { debug.print('x = {}', x); return x.sin() })(tensor(1)) // x = 1
 */
export const print = (format: string, ...values: readonly unknown[]): void => {
  const texts = format.split('{}')
  if (texts.length !== values.length + 1) {
    throw new TreeError({
      operation: 'debug.print',
      problem: 'the format has another number of placeholders than there are values',
      got: `${texts.length - 1} of {} with ${values.length} values`,
      fix: 'write one {} for each value',
    })
  }
  const { leaves, structure } = flatten(values, 'debug.print')
  const call = (inputs: readonly NDArray[]): void => {
    const shown = showAll(structure, inputs.map(formatTensor))
    write(texts.map((text, i) => `${text}${shown[i] ?? ''}`).join(''))
  }
  bind(hostP, leaves.map(leafTensor), { label: `print ${format}`, batchAxes: 0, call })
}

const showAll = (structure: Structure, leaves: readonly string[]): readonly string[] =>
  unflatten<readonly unknown[]>(structure, leaves).map(show)

const show = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{${Object.entries(value)
    .map(([name, v]: [string, unknown]) => `${name}: ${show(v)}`)
    .join(', ')}}`
}

/**
 * Throws when the program runs and the predicate fails, in any element, example or step.
 * @throws NumericsError with the message.
 * @example
 * debug.check(x.greater(0).all(), 'x must be positive')
 */
export const check = (predicate: TensorLike, message: string): void => {
  const holds = asCondition('debug.check', asTensor(predicate))
  const location = userLocation()
  const call = ([values]: readonly NDArray[]): void => {
    const at = values!.data.indexOf(0)
    if (at < 0) return
    const got = values!.shape.length === 0 ? {} : { got: `false at element ${at}` }
    throw new NumericsError(
      {
        operation: 'debug.check',
        problem: message,
        ...got,
        fix: 'look at the values that the check is about',
      },
      location,
    )
  }
  bind(hostP, [holds], { label: `check ${message}`, batchAxes: 0, call })
}
