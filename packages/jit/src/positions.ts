/** Which arguments of a compiled function are constants, and which give their memory away. */
import { IndexError, TreeError, flatten } from '@cotangent/core'

const none: readonly number[] = []

/** Argument positions from 0; negative ones count from the last argument. */
export const positions = (
  option: string,
  given: number | readonly number[] | undefined,
  count: number,
): readonly number[] => {
  if (given === undefined) return none
  const list = typeof given === 'number' ? [given] : given
  return list.map((position) => {
    if (Number.isInteger(position) && position >= -count) {
      return position < 0 ? position + count : position
    }
    throw new IndexError({
      operation: 'jit',
      problem: `${option} names no argument`,
      got: `${String(position)} with ${count} argument${count === 1 ? '' : 's'}`,
      want: 'positions of arguments, from 0, or from the last with negative numbers',
      fix: 'count the arguments of the function from 0',
    })
  })
}

/** Whether each leaf of the arguments is donated. @throws TreeError for an argument that is static too. */
export const donatedLeaves = (
  args: readonly unknown[],
  staticArgs: readonly number[],
  donate: readonly number[],
): readonly boolean[] =>
  args.flatMap((arg, i) => {
    if (staticArgs.includes(i)) {
      if (!donate.includes(i)) return []
      throw new TreeError({
        operation: 'jit',
        problem: `argument ${i} is both static and donated`,
        fix: 'leave it out of one of the two: a constant has no memory to give away',
      })
    }
    return flatten(arg).leaves.map(() => donate.includes(i))
  })
