/** Dtypes: conversion, promotion, limits. */
import {
  type DType,
  DTypeError,
  type Promotable,
  type Tensor,
  type TensorLike,
  asTensor,
  dtypeInfo,
  integerRange,
  isDType,
  isFloat,
  isInteger,
  kindOf,
  leafAval,
  promote,
  requireDTypeName,
} from '@cotangent/core'
import { cast } from '../promote.ts'

/**
 * `x` in another dtype, no longer weakly typed. Floats saturate towards integers and NaN becomes 0;
 * integers wrap; anything but 0 is true.
 * @throws DTypeError for complex64, which holds no arithmetic.
 * @example
 * np.astype([1.7, -1.7], 'int32').toArray() // [1, -1]
 */
export const astype = (x: TensorLike, dtype: DType): Tensor => {
  requireDTypeName('np.astype', dtype)
  return cast(asTensor(x), dtype)
}

/** The dtype in which two meet. @example np.promoteTypes('int8', 'uint8') // 'int16' */
export const promoteTypes = (a: DType, b: DType): DType => {
  requireDTypeName('np.promoteTypes', a)
  requireDTypeName('np.promoteTypes', b)
  return promote([
    { dtype: a, weak: false },
    { dtype: b, weak: false },
  ]).dtype
}

/** The dtype of an operation on these operands; numbers are weak. */
export const resultType = (...operands: readonly (TensorLike | DType)[]): DType =>
  promote(operands.map(promotableOf)).dtype

const promotableOf = (operand: TensorLike | DType): Promotable => {
  if (typeof operand === 'string') {
    requireDTypeName('np.resultType', operand)
    return { dtype: operand, weak: false }
  }
  return typeof operand === 'number' || typeof operand === 'boolean'
    ? leafAval(operand)
    : asTensor(operand).aval
}

/** Whether a value of one dtype always fits another. */
export const canCast = (from: DType, to: DType): boolean => promoteTypes(from, to) === to

/** The families of dtypes that `issubdtype` knows. */
export type DTypeFamily =
  | 'number'
  | 'inexact'
  | 'floating'
  | 'integer'
  | 'signedinteger'
  | 'unsignedinteger'
  | 'complexfloating'

/** Whether a dtype belongs to a family. @example np.issubdtype('int8', 'integer') // true */
export const issubdtype = (dtype: DType, family: DTypeFamily | DType): boolean => {
  requireDTypeName('np.issubdtype', dtype)
  if (isDType(family)) return dtype === family
  const kind = kindOf(dtype)
  switch (family) {
    case 'number':
      return kind !== 'bool'
    case 'inexact':
      return kind === 'float' || kind === 'complex'
    case 'floating':
      return kind === 'float'
    case 'integer':
      return isInteger(dtype)
    case 'signedinteger':
      return kind === 'signed'
    case 'unsignedinteger':
      return kind === 'unsigned'
    case 'complexfloating':
      return kind === 'complex'
    default:
      return family satisfies never
  }
}

export interface IntegerLimits {
  readonly bits: number
  readonly min: number
  readonly max: number
}

/** The limits of an integer dtype. @throws DTypeError for others. */
export const iinfo = (dtype: DType): IntegerLimits => {
  requireDTypeName('np.iinfo', dtype)
  if (!isInteger(dtype)) {
    throw new DTypeError({
      operation: 'np.iinfo',
      problem: 'not an integer dtype',
      got: dtype,
      fix: 'use np.finfo for floats',
    })
  }
  const [min, max] = integerRange(dtype)
  return { bits: dtypeInfo[dtype].bytes * 8, min, max }
}

export interface FloatLimits {
  readonly bits: number
  /** The distance from 1 to the next number. */
  readonly eps: number
  readonly min: number
  readonly max: number
  /** The smallest positive normal number. */
  readonly tiny: number
}

/** The limits of a float dtype. @throws DTypeError for others. */
export const finfo = (dtype: DType): FloatLimits => {
  requireDTypeName('np.finfo', dtype)
  if (!isFloat(dtype)) {
    throw new DTypeError({
      operation: 'np.finfo',
      problem: 'not a float dtype',
      got: dtype,
      fix: 'use np.iinfo for integers',
    })
  }
  const [fraction, exponent] = floatBits(dtype)
  const top = 2 ** (exponent - 1) - 1
  const max = 2 ** top * (2 - 2 ** -fraction)
  return {
    bits: dtypeInfo[dtype].bytes * 8,
    eps: 2 ** -fraction,
    min: -max,
    max,
    tiny: 2 ** (1 - top),
  }
}

// Bits of the stored fraction, and of the exponent.
const floatBits = (dtype: DType): readonly [number, number] => {
  if (dtype === 'float16') return [10, 5]
  if (dtype === 'bfloat16') return [7, 8]
  return dtype === 'float64' ? [52, 11] : [23, 8]
}
