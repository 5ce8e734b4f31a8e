/** Comparisons, and the choice by a mask. */
import {
  type Aval,
  type BatchDim,
  DTypeError,
  type MaybeZero,
  type Primitive,
  ShapeError,
  type Tensor,
  alignBatch,
  aval,
  bind1,
  definePrimitive,
  makeArray,
  nonlinear,
  sameShape,
  sameType,
  scalars,
  showAval,
  wholeEquation,
  zerosLike,
} from '@cotangent/core'
import { anyReal } from './accepts.ts'
import { type Binary, comparison } from './elements.ts'

export const eqP: Binary = comparison('eq', 'equal', anyReal)
export const neP: Binary = comparison('ne', 'notEqual', anyReal)
export const ltP: Binary = comparison('lt', 'less', anyReal)
export const leP: Binary = comparison('le', 'lessEqual', anyReal)
export const gtP: Binary = comparison('gt', 'greater', anyReal)
export const geP: Binary = comparison('ge', 'greaterEqual', anyReal)

/** `x = y`; false where either is NaN. */
export const eq = (x: Tensor, y: Tensor): Tensor => bind1(eqP, [x, y], null)
/** `x ≠ y`; true where either is NaN. */
export const ne = (x: Tensor, y: Tensor): Tensor => bind1(neP, [x, y], null)
export const lt = (x: Tensor, y: Tensor): Tensor => bind1(ltP, [x, y], null)
export const le = (x: Tensor, y: Tensor): Tensor => bind1(leP, [x, y], null)
export const gt = (x: Tensor, y: Tensor): Tensor => bind1(gtP, [x, y], null)
export const ge = (x: Tensor, y: Tensor): Tensor => bind1(geP, [x, y], null)

const selectTyping = (condition: Aval, onTrue: Aval, onFalse: Aval): Aval => {
  const got = `condition: ${showAval(condition)}, onTrue: ${showAval(onTrue)}, onFalse: ${showAval(onFalse)}`
  if (condition.dtype !== 'bool' || onTrue.dtype !== onFalse.dtype) {
    throw new DTypeError({
      operation: 'select',
      problem: 'the condition must be bool and the branches of one dtype',
      got,
      fix: 'compare to get a bool, and cast the branches first',
    })
  }
  if (!sameShape(condition.shape, onTrue.shape) || !sameType(onTrue, onFalse)) {
    throw new ShapeError({
      operation: 'select',
      problem: 'the inputs must have one shape',
      got,
      fix: 'broadcast them first: primitives never do it for you',
    })
  }
  return aval(onTrue.shape, onTrue.dtype, onTrue.weak && onFalse.weak)
}

type SelectSlots = readonly ['condition', 'onTrue', 'onFalse']

/** `onTrue` where the condition holds, `onFalse` elsewhere. */
export const selectP: Primitive<SelectSlots, null> = definePrimitive({
  name: 'select',
  slots: ['condition', 'onTrue', 'onFalse'],
  typing: ([condition, onTrue, onFalse]) => [selectTyping(condition, onTrue, onFalse)],
  evaluate: ([condition, onTrue, onFalse], _, types) => {
    const out = makeArray(types[0]!)
    for (let i = 0; i < out.data.length; i++) {
      out.data[i] = condition.data[i] === 0 ? onFalse.data[i]! : onTrue.data[i]!
    }
    return [out]
  },
  jvp: ([condition, onTrue, onFalse], [, dTrue, dFalse]) => {
    const tangent: MaybeZero =
      dTrue === null && dFalse === null
        ? null
        : select(condition, dTrue ?? zerosLike(onTrue), dFalse ?? zerosLike(onFalse))
    return { outputs: [select(condition, onTrue, onFalse)], tangents: [tangent] }
  },
  transpose: {
    condition: nonlinear,
    onTrue: (ct, [condition]) => select(condition, ct, zerosLike(ct)),
    onFalse: (ct, [condition]) => select(condition, zerosLike(ct), ct),
  },
  partition: wholeEquation,
  batch: (inputs, dims: readonly BatchDim[], _, { size }) => {
    const [condition, onTrue, onFalse] = alignBatch([...inputs], dims, size)
    return { outputs: [select(condition!, onTrue!, onFalse!)], dims: [0] }
  },
  lower: ([condition, onTrue, onFalse]) => ({
    tag: 'pull',
    cost: 'cheap',
    outputs: [(i) => scalars.selectOp(condition.at(i), onTrue.at(i), onFalse.at(i))],
  }),
  effectful: false,
})

export const select = (condition: Tensor, onTrue: Tensor, onFalse: Tensor): Tensor =>
  bind1(selectP, [condition, onTrue, onFalse], null)
