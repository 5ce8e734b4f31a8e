/** Labels of a sequence without knowing when each of them is said. */
import {
  NumericsError,
  ShapeError,
  type Tensor,
  fill,
  normalizeAxis,
  showAval,
  transpose,
} from '@cotangent/core'
import { nnFunctions, np, prims, scan } from '@cotangent/ops'
import type { Reduction } from './reduction.ts'
import { reduce } from './reduction.ts'

export interface CtcOptions {
  /** Frames that count, from the first: `[batch]`; all by default. */
  readonly logitLengths?: Tensor
  /** Labels that count, from the first: `[batch]`; all by default. */
  readonly labelLengths?: Tensor
  /** The class that says nothing; 0 by default. */
  readonly blank?: number
  /**
   * What to give where there are too few frames for the labels: about −logEpsilon (`'large'`, the default;
   * with gradients), `'infinity'`, or `'zero'` (both with gradients of 0).
   */
  readonly impossible?: 'large' | 'infinity' | 'zero'
  /**
   * What stands for the logarithm of 0, a finite negative number: Optax's `log_epsilon`. −1e5 by
   * default, and −1e30 where `impossible` is said.
   */
  readonly logEpsilon?: number
  /** `'mean'` (the default) divides each loss by the number of its labels first. */
  readonly reduction?: Reduction
}

/**
 * Connectionist temporal classification: −log of the probability of all ways to say the labels, with
 * blanks between and repetitions, under softmax(logits) frame by frame. `logits: [batch, frames,
 * classes]`, integer `labels: [batch, labels]`, of which those beyond `labelLengths` are not looked at. The
 * forward recursion runs in log space as one compiled scan over the frames.
 * @throws ShapeError where shapes do not fit.
 * @see Graves et al. 2006, section 4.1
 * @example
 * // Two frames, the labels [1]: 1·1, 1·blank and blank·1 are the ways.
 * losses.ctc(np.zeros([1, 2, 2]), tensor([[1]], { dtype: 'int32' })).item() // −log ¾
 */
export const ctc = (logits: Tensor, labels: Tensor, options: CtcOptions = {}): Tensor => {
  requireShapes(logits, labels, options)
  const { blank = 0, impossible = 'large', reduction = 'mean' } = options
  const [batch, frames] = [logits.shape[0]!, logits.shape[1]!]
  const longest = labels.shape[1]!
  const never = options.logEpsilon ?? (impossible === 'large' ? -1e5 : -1e30)
  requireLogEpsilon(never)
  const logitLengths = options.logitLengths ?? fill([batch], frames, 'int32')
  const labelLengths = options.labelLengths ?? fill([batch], longest, 'int32')
  const isRepeat = repeats(labels)
  const losses = forward({
    logP: nnFunctions.logSoftmax(logits),
    labels,
    blank: normalizeAxis('ctc', blank, logits.shape[2]!),
    never,
    isRepeat,
    logitLengths,
    labelLengths,
  })
  const bounded =
    impossible === 'large'
      ? losses
      : losses.where(
          isSayable(isRepeat, logitLengths, labelLengths),
          impossible === 'zero' ? 0 : Infinity,
        )
  return reduction === 'mean'
    ? bounded.div(labelLengths.maximum(1).astype(bounded.dtype)).mean()
    : reduce(bounded, reduction)
}

// Every label takes a frame, and so does the blank before one that repeats its predecessor.
const isSayable = (isRepeat: Tensor, logitLengths: Tensor, labelLengths: Tensor): Tensor => {
  const isInside = prims.iota('int32', isRepeat.shape, 1).less(labelLengths.sub(1).expandDims(1))
  const blanks = isRepeat.logicalAnd(isInside).astype('int32').sum({ axis: 1 })
  return logitLengths.greaterEqual(labelLengths.add(blanks))
}

// Whether the next label is the same; false for the last.
const repeats = (labels: Tensor): Tensor => {
  const [batch, count] = [labels.shape[0]!, labels.shape[1]!]
  if (count === 0) return fill([batch, 0], 0, 'bool')
  const isSame = labels.at(':', ':-1').equal(labels.at(':', '1:'))
  return np.concatenate([isSame, fill([batch, 1], 0, 'bool')], 1)
}

interface Problem {
  readonly logP: Tensor
  readonly labels: Tensor
  readonly blank: number
  /** The logarithm of a probability of 0. */
  readonly never: number
  readonly isRepeat: Tensor
  readonly logitLengths: Tensor
  readonly labelLengths: Tensor
}

// The logarithms of the probabilities of having said the first n labels, with a blank last
// (`phi: [batch, labels + 1]`) or without (`emit: [batch, labels]`).
const forward = (problem: Problem): Tensor => {
  const { logP, labels, blank, never, isRepeat, logitLengths, labelLengths } = problem
  const [batch, frames, classes] = [logP.shape[0]!, logP.shape[1]!, logP.shape[2]!]
  const longest = labels.shape[1]!
  const { dtype } = logP
  const emissions = transpose(
    logP.matmul(transpose(nnFunctions.oneHot(labels, classes, { dtype }), [0, 2, 1])),
    [1, 0, 2],
  )
  const blanks = transpose(logP.at(':', ':', `${blank}:${blank + 1}`), [1, 0, 2])
  const isOver = prims.iota('int32', [frames, batch], 0).greaterEqual(logitLengths).expandDims(2)
  const afterRepeat = isRepeat.logicalNot().astype(dtype).mul(never)
  const afterOther = isRepeat.astype(dtype).mul(never)
  const start = {
    phi: np.concatenate([fill([batch, 1], 0, dtype), fill([batch, longest], never, dtype)], 1),
    emit: fill([batch, longest], never, dtype),
  }
  const [last] = scan(
    ({ phi, emit }, { emission, silence, over }) => {
      const ready = raise(phi, emit.add(afterOther))
      const nextEmit = np.logaddexp(ready.at(':', ':-1'), emit).add(emission)
      const nextPhi = raise(ready.add(silence), emit.add(silence).add(afterRepeat))
      return [{ phi: phi.where(over, nextPhi), emit: emit.where(over, nextEmit) }, null]
    },
    start,
    { emission: emissions, silence: blanks, over: isOver },
  )
  const said = raise(last.phi, last.emit)
  const isEnd = prims.iota('int32', [batch, longest + 1], 1).equal(labelLengths.expandDims(1))
  return said.where(isEnd, 0).sum({ axis: 1 }).neg()
}

// Adds probabilities to all but the first column.
const raise = (phi: Tensor, added: Tensor): Tensor =>
  np.concatenate([phi.at(':', ':1'), np.logaddexp(phi.at(':', '1:'), added)], 1)

const requireLogEpsilon = (logEpsilon: number): void => {
  if (Number.isFinite(logEpsilon) && logEpsilon < 0) return
  throw new NumericsError({
    operation: 'ctc',
    problem: 'logEpsilon stands for the logarithm of 0',
    got: String(logEpsilon),
    want: 'a finite negative number, since infinities have no gradients',
    fix: 'leave it out, or give a number such as -1e5',
  })
}

const requireShapes = (
  logits: Tensor,
  labels: Tensor,
  { logitLengths, labelLengths }: CtcOptions,
): void => {
  const batch = logits.shape[0]
  const isRight =
    logits.ndim === 3 &&
    labels.ndim === 2 &&
    labels.shape[0] === batch &&
    [logitLengths, labelLengths].every((n) => n === undefined || n.shape.join() === String(batch))
  if (isRight) return
  const lengths = [logitLengths, labelLengths].map((n) =>
    n === undefined ? 'all' : showAval(n.aval),
  )
  throw new ShapeError({
    operation: 'ctc',
    problem: 'logits, labels and lengths do not fit',
    got: `logits: ${showAval(logits.aval)}, labels: ${showAval(labels.aval)}, lengths: ${lengths.join(', ')}`,
    want: 'logits [batch, frames, classes], labels [batch, labels], lengths [batch]',
    fix: 'put the batch first, and pad labels to one length',
  })
}
