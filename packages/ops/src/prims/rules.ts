/** Rules shared by primitives whose transposes or tangents do not exist. */
import { InternalError, UnsupportedError } from '@cotangent/core'

/** The whole transpose of a primitive that is linear in nothing. */
export const neverLinear =
  (operation: string): (() => never) =>
  () => {
    throw new InternalError({ operation, problem: 'it is linear in none of its inputs' })
  }

/** A derivative that does not exist in this combination. */
export const noDerivative = (operation: string, problem: string, fix: string): UnsupportedError =>
  new UnsupportedError({ operation, problem, fix })
