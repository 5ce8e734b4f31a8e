/** Integer labels: the value at each, the weight of each, and labels made soft. */
import { DTypeError, ShapeError, type Tensor, fill, isFloat, showAval } from '@cotangent/core'
import { np, prims } from '@cotangent/ops'

/** What is not a label at an ignored position, and a mask of those that are. */
export interface KnownLabels {
  readonly labels: Tensor
  readonly isKnown: Tensor | null
}

/** Labels equal to `ignoreIndex` become 0, which is then not counted. */
export const withoutIgnored = (labels: Tensor, ignoreIndex: number | undefined): KnownLabels => {
  if (ignoreIndex === undefined) return { labels, isKnown: null }
  const isKnown = labels.notEqual(ignoreIndex)
  return { labels: labels.where(isKnown, 0), isKnown }
}

/** `values` where labels are known, 0 elsewhere. */
export const onlyKnown = (values: Tensor, { isKnown }: KnownLabels): Tensor =>
  isKnown === null ? values : values.where(isKnown, 0)

/** One value per class, at each label: what each example weighs. Ignored ones weigh nothing. */
export const weightsAt = (
  classWeights: Tensor | undefined,
  known: KnownLabels,
  values: Tensor,
): Tensor => {
  const each =
    classWeights === undefined
      ? fill(known.labels.shape, 1, values.dtype)
      : np.take(classWeights, known.labels, { axis: 0 }).astype(values.dtype)
  return onlyKnown(each, known)
}

/** Where along an axis the label is: a mask of the shape of `values`. Negative ones count back. */
export const maskOfLabels = (
  operation: string,
  values: Tensor,
  labels: Tensor,
  axis: number,
): Tensor => {
  const wrapped = wrappedLabels(operation, values, labels, axis)
  return prims.iota('int32', values.shape, axis).equal(wrapped.expandDims(axis))
}

/**
 * Labels as probabilities of the shape of the logits: those that are, as they are; integers one-hot, and
 * NaN where they are beyond the classes.
 */
export const asTargets = (
  operation: string,
  logits: Tensor,
  labels: Tensor,
  axis: number,
): Tensor => {
  if (isFloat(labels.dtype)) {
    if (labels.shape.join() === logits.shape.join()) return labels
    throw labelMisfit(operation, logits, labels, logits.shape)
  }
  const hot = maskOfLabels(operation, logits, labels, axis).astype(logits.dtype)
  return hot.where(hot.any({ axis, keepdims: true }), Number.NaN)
}

/** The value at each label, along an axis; NaN (without a derivative) for labels beyond it. */
export const atLabels = (
  operation: string,
  values: Tensor,
  labels: Tensor,
  axis: number,
): Tensor => {
  const wrapped = wrappedLabels(operation, values, labels, axis)
  // A mask and a sum fuse with the rest, forward and backward; a gather would scatter backwards.
  const isTarget = prims.iota('int32', values.shape, axis).equal(wrapped.expandDims(axis))
  const isKnown = wrapped.greaterEqual(0).logicalAnd(wrapped.less(values.shape[axis]!))
  const unknown = fill(labels.shape, 0, values.dtype).where(isKnown, Number.NaN)
  return values.where(isTarget, 0).sum({ axis }).add(unknown)
}

const wrappedLabels = (operation: string, values: Tensor, labels: Tensor, axis: number): Tensor => {
  const rest = values.shape.filter((_, d) => d !== axis)
  if (labels.shape.join() !== rest.join()) throw labelMisfit(operation, values, labels, rest)
  if (isFloat(labels.dtype)) {
    throw new DTypeError({
      operation,
      problem: 'labels are class numbers',
      got: `labels: ${showAval(labels.aval)}`,
      want: 'integers',
      fix: 'convert with labels.astype("int32")',
    })
  }
  const index = labels.astype('int32')
  return index.add(index.less(0).astype('int32').mul(values.shape[axis]!))
}

/** Labels that do not fit: class numbers of the wrong shape, or probabilities. */
export const labelMisfit = (
  operation: string,
  logits: Tensor,
  labels: Tensor,
  want: readonly number[],
): ShapeError =>
  new ShapeError({
    operation,
    problem: 'labels and logits do not fit',
    got: `logits: ${showAval(logits.aval)}, labels: ${showAval(labels.aval)}`,
    want: `${isFloat(labels.dtype) ? 'probabilities' : 'integer labels'} of shape [${want.join(',')}]`,
    fix: isFloat(labels.dtype)
      ? 'for class numbers, give integers: labels.astype("int32")'
      : 'check the class axis',
  })

/**
 * One-hot or soft labels `[…, classes]` with a share `alpha` spread evenly over the classes.
 * @see Szegedy et al. 2016, section 7
 * @example
 * losses.smoothLabels(tensor([0, 1]), 0.1).toArray() // [0.05, 0.95]
 */
export const smoothLabels = (labels: Tensor, alpha: number): Tensor =>
  labels.mul(1 - alpha).add(alpha / labels.shape[labels.ndim - 1]!)
