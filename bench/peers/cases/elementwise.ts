/** Arithmetic on four million numbers, and reductions of them. */
import { type Shape, type Tensor, nn, np } from 'cotangent'
import { type TimedWorkload, functionCase } from '../workload.ts'

const unary = (
  id: string,
  title: string,
  f: (x: Tensor) => Tensor,
  shape: Shape,
  seed: number,
  bytes: number,
): TimedWorkload => ({
  id,
  group: 'elementwise',
  title,
  unit: 'ms',
  bytes,
  prepare: (context) => functionCase(context, f, [context.normal(shape, seed)]),
})

const many: Shape = [4_194_304]
const square: Shape = [2048, 2048]
const once = 4 * 4_194_304

export const elementwise: readonly TimedWorkload[] = [
  unary(
    'ew_transc',
    'tanh(1.1x + .3) · sigmoid(x) + exp(−x²), 4M',
    (x) =>
      np
        .tanh(x.mul(1.1).add(0.3))
        .mul(nn.sigmoid(x))
        .add(np.exp(x.mul(x).neg())),
    many,
    71,
    2 * once,
  ),
  unary(
    'ew_cheap',
    '(2x + 1) · x − 3, 4M',
    (x) => x.mul(2).add(1).mul(x).sub(3),
    many,
    71,
    2 * once,
  ),
  unary('sum_all', 'sum of 2048×2048', (x) => x.sum(), square, 72, once),
  unary('mean_ax0', 'mean over rows, 2048×2048', (x) => np.mean(x, { axis: 0 }), square, 72, once),
  unary(
    'mean_ax1',
    'mean over columns, 2048×2048',
    (x) => np.mean(x, { axis: 1 }),
    square,
    72,
    once,
  ),
]
