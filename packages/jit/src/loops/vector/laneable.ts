/** Which scalars have a value for each lane. */
import { type Scalar, isComplex, isHalf } from '@cotangent/core'
import { walk } from '../visit.ts'
import { isVectorBinary, isVectorUnary } from '../../wasm/print/vector.ts'

// What the backend writes as arithmetic before it prints.
const expanded: ReadonlySet<string> = new Set([
  'exp',
  'exp2',
  'expm1',
  'log',
  'log1p',
  'logistic',
  'tanh',
  'sinh',
  'cosh',
  'sin',
  'cos',
  'erf',
  'rsqrt',
])
const isExpanded = (s: Scalar): boolean =>
  s.tag === 'unary' && (s.dtype === 'float32' || isHalf(s.dtype)) && expanded.has(s.op)

/** Whether vectors can hold every value below, and have instructions for every operator. */
export const isLaneable = (value: Scalar): boolean => {
  let fits = true
  walk({
    scalar: (s) => {
      if (isComplex(s.dtype)) fits = false
      else if (s.tag === 'unary' && !isVectorUnary(s) && !isExpanded(s)) fits = false
      else if (s.tag === 'binary' && !isVectorBinary(s)) fits = false
      else if (s.tag === 'bitcast' && (s.dtype === 'float64' || s.x.dtype === 'float64'))
        fits = false
    },
  }).scalar(value)
  return fits
}
