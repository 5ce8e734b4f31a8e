/** Operands to tensors: JAX's dtype promotion with weak types, and NumPy's broadcasting. */
import {
  type Aval,
  type DType,
  DTypeError,
  type Promotable,
  type Shape,
  ShapeError,
  Tensor,
  type TensorLike,
  TreeError,
  broadcastInDim,
  broadcastShapes,
  describeValue,
  fill,
  isComplex,
  isFloat,
  isInteger,
  leafAval,
  operandTensor,
  promote,
  sameShape,
  showAval,
  showShape,
  toInexact,
  typeId,
} from '@cotangent/core'
import { convert } from './prims/convert.ts'

/** The type that an operand promotes with; nested arrays count as the tensor they make. */
const typeOf = (operand: Tensor | number | boolean): Aval => leafAval(operand)

/** Nested and typed arrays become tensors; numbers and booleans stay as they are. */
const leafOf = (operation: string, operand: TensorLike): Tensor | number | boolean =>
  typeof operand === 'number' || typeof operand === 'boolean'
    ? operand
    : operandTensor(operation, operand)

/** `x` in another dtype; nothing is recorded where it already has it. */
export const cast = (x: Tensor, dtype: DType, weak = false): Tensor =>
  x.dtype === dtype && x.aval.weak === weak ? x : convert(x, dtype, weak)

/** A constant of `x`'s shape, dtype and weakness. */
export const constantLike = (x: Tensor, value: number): Tensor =>
  fill(x.shape, value, x.dtype, x.aval.weak)

/** NumPy's broadcasting of shapes. @throws ShapeError where they do not fit. */
export const commonShape = (operation: string, shapes: readonly Shape[]): Shape => {
  const shape = broadcastShapes(...shapes)
  if (shape !== null) return shape
  throw new ShapeError({
    operation,
    problem: 'the shapes cannot be broadcast together',
    got: shapes.map(showShape).join(' and '),
    want: 'extents that are equal, or 1, counted from the last axis',
    fix: 'insert axes of extent 1 with np.expandDims, or reshape one operand',
  })
}

/** Repeats `x` to `shape`, aligning the last axes. @throws ShapeError where it does not fit. */
export const broadcastTensor = (operation: string, x: Tensor, shape: Shape): Tensor => {
  if (sameShape(x.shape, shape)) return x
  const axes = lastAxes(x.shape, shape)
  if (axes === null) {
    throw new ShapeError({
      operation,
      problem: 'the tensor cannot be broadcast to this shape',
      got: `${showAval(x.aval)} to ${showShape(shape)}`,
      want: 'extents that are equal, or 1, counted from the last axis',
      fix: 'insert axes of extent 1 with np.expandDims, or reshape it first',
    })
  }
  return broadcastInDim(x, shape, axes)
}

// The last axes of `to`, one for each of `from`; null where these do not fit.
const lastAxes = (from: Shape, to: Shape): readonly number[] | null => {
  const offset = to.length - from.length
  if (offset < 0) return null
  const axes = new Array<number>(from.length)
  for (let d = 0; d < from.length; d++) {
    if (from[d] !== 1 && from[d] !== to[d + offset]) return null
    axes[d] = d + offset
  }
  return axes
}

/** How a function treats the promoted dtype before it computes. */
export interface PromoteRule {
  /** Integers and booleans become float32: true division, transcendentals. */
  readonly inexact?: boolean
  /** Booleans become int32: powers, shifts. */
  readonly numeric?: boolean
  /** Floats are refused: bitwise operations. */
  readonly integral?: boolean
}

const applyRule = (operation: string, type: Promotable, rule: PromoteRule): Promotable => {
  if (isComplex(type.dtype)) throw refused(operation, type.dtype, 'a real dtype')
  if (rule.integral === true && isFloat(type.dtype)) {
    throw refused(operation, type.dtype, 'an integer or bool dtype')
  }
  if (rule.inexact === true) return toInexact(type)
  return rule.numeric === true && type.dtype === 'bool' ? { dtype: 'int32', weak: false } : type
}

const refused = (operation: string, dtype: DType, want: string): DTypeError =>
  new DTypeError({
    operation,
    problem: `it does not work on ${dtype}`,
    got: dtype,
    want,
    fix: 'convert with astype first',
  })

// A number becomes a fill of the final shape and dtype: one constant, no conversion.
const place = (
  operation: string,
  operand: Tensor | number | boolean,
  shape: Shape,
  { dtype, weak }: Promotable,
): Tensor => {
  if (operand instanceof Tensor)
    return broadcastTensor(operation, cast(operand, dtype, weak), shape)
  return fill(shape, constantValue(Number(operand), dtype), dtype, weak)
}

const constantValue = (value: number, dtype: DType): number => {
  if (dtype === 'bool') return value === 0 ? 0 : 1
  return isInteger(dtype) ? Math.trunc(value) : value
}

/** Operands as tensors of one dtype and one shape. @throws ShapeError @throws DTypeError */
export const promoteOperands = (
  operation: string,
  operands: readonly TensorLike[],
  rule: PromoteRule = {},
): readonly Tensor[] => {
  const leaves = operands.map((operand) => leafOf(operation, operand))
  const types = leaves.map(typeOf)
  const type = applyRule(operation, promote(types), rule)
  const shape = commonShape(
    operation,
    types.map((t) => t.shape),
  )
  return leaves.map((leaf) => place(operation, leaf, shape, type))
}

/** Where two types meet, and which of them is there already. */
interface Meeting {
  readonly type: Promotable
  readonly shape: Shape
  readonly keepsX: boolean
  readonly keepsY: boolean
}

// By rule, then by the numbers of the types.
const meetings: Map<number, Map<number, Meeting>>[] = Array.from({ length: 8 }, () => new Map())
const mostMeetings = 4096
let meetingCount = 0

const ruleCode = ({ inexact, numeric, integral }: PromoteRule): number =>
  (inexact === true ? 1 : 0) + (numeric === true ? 2 : 0) + (integral === true ? 4 : 0)

const meet = (operation: string, x: Aval, y: Aval, rule: PromoteRule): Meeting => {
  const byX = meetings[ruleCode(rule)]!
  const [i, j] = [typeId(x), typeId(y)]
  let byY = byX.get(i)
  const known = byY?.get(j)
  if (known !== undefined) return known
  const type = applyRule(operation, promote([x, y]), rule)
  const shape = commonShape(operation, [x.shape, y.shape])
  const keeps = (t: Aval): boolean =>
    t.dtype === type.dtype && t.weak === type.weak && sameShape(t.shape, shape)
  const meeting: Meeting = { type, shape, keepsX: keeps(x), keepsY: keeps(y) }
  if (meetingCount++ === mostMeetings) {
    for (const all of meetings) all.clear()
    meetingCount = 1
    byY = undefined
  }
  if (byY === undefined) {
    byY = new Map()
    byX.set(i, byY)
  }
  byY.set(j, meeting)
  return meeting
}

const anything: PromoteRule = {}

/** `promoteOperands` for two. */
export const promotePair = (
  operation: string,
  x: TensorLike,
  y: TensorLike,
  rule: PromoteRule = anything,
): readonly [Tensor, Tensor] => {
  const a = leafOf(operation, x)
  const b = leafOf(operation, y)
  const { shape, type, keepsX, keepsY } = meet(operation, typeOf(a), typeOf(b), rule)
  return [
    keepsX && a instanceof Tensor ? a : place(operation, a, shape, type),
    keepsY && b instanceof Tensor ? b : place(operation, b, shape, type),
  ]
}

/** Operands as tensors of one dtype, each with its own shape. */
export const promoteDTypes = (
  operation: string,
  operands: readonly TensorLike[],
  rule: PromoteRule = {},
): readonly Tensor[] => {
  requireList(operation, operands)
  const leaves = operands.map((operand) => leafOf(operation, operand))
  const type = applyRule(operation, promote(leaves.map(typeOf)), rule)
  return leaves.map((leaf) => place(operation, leaf, typeOf(leaf).shape, type))
}

/** @throws TreeError for operands that are no list of them. */
export const requireList = (operation: string, operands: readonly unknown[]): void => {
  if (Array.isArray(operands)) return
  throw new TreeError({
    operation,
    problem: 'the operands are not in a list',
    got: describeValue(operands),
    want: 'an array of tensors',
    fix: 'put them into one: [x, y]',
  })
}

/** One operand as a tensor, under the rule. */
export const promoteOne = (
  operation: string,
  x: TensorLike,
  rule: PromoteRule = anything,
): Tensor => {
  const leaf = leafOf(operation, x)
  const own = typeOf(leaf)
  const type = applyRule(operation, own.weak ? promote([own]) : own, rule)
  return place(operation, leaf, own.shape, type)
}

/** A condition: any dtype, true where not zero. */
export const asCondition = (operation: string, x: TensorLike): Tensor => {
  const condition = promoteOne(operation, x)
  return condition.dtype === 'bool' ? condition : convert(condition, 'bool')
}
