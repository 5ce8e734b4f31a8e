/** Functions that WebAssembly has not, as arithmetic; half floats as their 16 bits. */
import { type DType, type Index, type Scalar, type Stmt, isHalf, scalars } from '@cotangent/core'
import type { Kernel } from '../../kernel.ts'
import { mapBody, mapData, mapScalar, mapStmt } from '../../loops/rewrite.ts'
import { expandBinary, expandUnary } from '../maths/index.ts'
import { type Half, decodeHalf, encodeHalf, nextAfterHalf, roundHalf } from './half.ts'

/** Rewrites every operator that has an expansion, and every access to half floats. */
export const expand = (kernel: Kernel): Kernel => {
  const memo = new Map<Scalar, Scalar>()
  const scalar = (s: Scalar): Scalar => {
    if (s.tag === 'local' || s.tag === 'literal') return widened(s)
    const known = memo.get(s)
    if (known !== undefined) return known
    const made = widened(expanded(s, mapScalar(s, scalar, index)))
    memo.set(s, made)
    return made
  }
  const index = (i: Index): Index => mapData(i, scalar)
  const statement = (s: Stmt): Stmt => {
    const made = mapStmt(s, scalar, index, (body) => mapBody(body, statement))
    if (s.tag !== 'store' || made.tag !== 'store' || !isHalfType(s.value.dtype)) return made
    return { ...made, value: encodeHalf(s.value.dtype, made.value) }
  }
  return {
    ...kernel,
    buffers: kernel.buffers.map((b) => (isHalf(b.dtype) ? { ...b, dtype: 'uint16' } : b)),
    body: mapBody(kernel.body, statement),
  }
}

const isHalfType = (dtype: DType): dtype is Half => isHalf(dtype)

// Halves are computed with as float32: functions of the one are the expansions of the other.
const widened = (s: Scalar): Scalar => {
  if (s.tag === 'compare' || s.tag === 'within' || !isHalf(s.dtype)) return s
  return { ...s, dtype: 'float32' }
}

/** `made` is `before` with its operands expanded, which halves leave as float32. */
const expanded = (before: Scalar, made: Scalar): Scalar => {
  switch (made.tag) {
    case 'load':
      return isHalfType(made.dtype) ? decodeHalf(made.dtype, { ...made, dtype: 'uint16' }) : made
    case 'convert':
      if (isHalfType(made.dtype)) return roundHalf(made.dtype, made.x)
      return made.x.dtype === made.dtype ? made.x : made
    case 'bitcast': {
      const from = before.tag === 'bitcast' ? before.x.dtype : made.x.dtype
      const bits = isHalfType(from) ? encodeHalf(from, made.x) : made.x
      if (isHalfType(made.dtype)) return decodeHalf(made.dtype, scalars.convertTo('uint16', bits))
      return isHalfType(from) ? scalars.convertTo(made.dtype, bits) : made
    }
    case 'unary':
      return expandUnary(made.op, made.x) ?? made
    case 'binary':
      if (made.op === 'nextAfter' && isHalfType(made.dtype)) {
        return nextAfterHalf(made.dtype, made.x, made.y)
      }
      return expandBinary(made.op, made.x, made.y) ?? made
    case 'literal':
    case 'local':
    case 'compare':
    case 'select':
    case 'guard':
    case 'within':
    case 'fromIndex':
    case 'across':
      return made
    default:
      return made satisfies never
  }
}
