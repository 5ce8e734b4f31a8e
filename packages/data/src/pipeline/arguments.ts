/** Checks of counts, shared by the pipeline and the generators. */
import { IndexError, UnsupportedError } from '@cotangent/core'

/** @throws IndexError unless `value` is an integer of at least `least`. */
export const requireCount = (
  operation: string,
  name: string,
  value: number,
  least: number,
): void => {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new IndexError({
    operation,
    problem: `${name} is out of range`,
    got: String(value),
    want: `an integer of at least ${least}`,
    fix: 'give a whole number in that range',
  })
}

/** The count of rows. @throws UnsupportedError where it is endless. */
export const finite = (operation: string, count: number): number => {
  if (count !== Infinity) return count
  throw new UnsupportedError({
    operation,
    problem: 'the dataset repeats without end',
    fix: `put ${operation} before repeat, or take a finite part first`,
  })
}
