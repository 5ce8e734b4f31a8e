/** What a reduction computes: by name, or as a function that may be one of ours. */
import type { Tensor } from '@cotangent/core'
import * as elementwise from './elementwise.ts'

/** An associative operation, by name or as a function of two tensors. */
export type Computation =
  | 'add'
  | 'max'
  | 'min'
  | 'mul'
  | 'and'
  | 'or'
  | ((x: Tensor, y: Tensor) => Tensor)

/** The name of a computation that has a primitive of its own, or null. */
export const computationName = (
  computation: Computation,
): 'add' | 'max' | 'min' | 'mul' | 'and' | 'or' | null => {
  if (typeof computation === 'string') return computation
  if (computation === elementwise.add) return 'add'
  if (computation === elementwise.max) return 'max'
  if (computation === elementwise.min) return 'min'
  if (computation === elementwise.mul) return 'mul'
  if (computation === elementwise.bitwiseAnd) return 'and'
  return computation === elementwise.bitwiseOr ? 'or' : null
}

/** A computation as a function. */
export const computationFunction = (
  computation: Computation,
): ((x: Tensor, y: Tensor) => Tensor) => {
  if (typeof computation === 'function') return computation
  const named = {
    add: elementwise.add,
    max: elementwise.max,
    min: elementwise.min,
    mul: elementwise.mul,
  }
  if (computation === 'and') return elementwise.bitwiseAnd
  return computation === 'or' ? elementwise.bitwiseOr : named[computation]
}
