/** Convolutions: a layer of a large network, and the two of LeNet-5. */
import { type Shape, type Tensor, nn, vjp } from 'cotangent'
import { type Context, type TimedWorkload, functionCase } from '../workload.ts'

const { conv } = nn.functional

const image: Shape = [8, 64, 56, 56]
const padded = (x: Tensor, kernel: Tensor): Tensor => conv(x, kernel, { padding: 1 })

const operands = ({ normal }: Context): [Tensor, Tensor] => [
  normal(image, 11),
  normal([64, 64, 3, 3], 12, 1 / 24),
]

/** A multiplication and an addition for each output and each element of its window. */
const flops = 2 * 8 * 64 * 56 * 56 * 64 * 9

interface LenetLayer {
  readonly id: string
  readonly title: string
  readonly input: Shape
  readonly kernel: Shape
  readonly padding: number
  /** Of the input; the kernel's is the next. */
  readonly seed: number
  readonly scale: number
  readonly flops: number
}

const lenetLayer = (layer: LenetLayer): TimedWorkload => ({
  id: layer.id,
  group: 'conv',
  title: layer.title,
  unit: 'ms',
  flops: layer.flops,
  prepare: (context) =>
    functionCase(context, (x: Tensor, kernel: Tensor) => conv(x, kernel, layer), [
      context.normal(layer.input, layer.seed),
      context.normal(layer.kernel, layer.seed + 1, layer.scale),
    ]),
})

export const convolutions: readonly TimedWorkload[] = [
  {
    id: 'conv3x3_fwd',
    group: 'conv',
    title: 'conv 3×3, 8×64×56×56, 64 out',
    unit: 'ms',
    flops,
    prepare: (context) => functionCase(context, padded, operands(context)),
  },
  {
    id: 'conv3x3_grad',
    group: 'conv',
    title: 'gradients of that convolution, dx and dw',
    unit: 'ms',
    flops: 2 * flops,
    prepare: (context) =>
      functionCase(
        context,
        (cotangent: Tensor, x: Tensor, kernel: Tensor) => vjp(padded, x, kernel)[1](cotangent),
        [context.normal(image, 13), ...operands(context)],
      ),
  },
  lenetLayer({
    id: 'conv_lenet1_fwd',
    title: 'conv 5×5, 64×1×28×28, 6 out',
    input: [64, 1, 28, 28],
    kernel: [6, 1, 5, 5],
    padding: 2,
    seed: 14,
    scale: 1 / 5,
    flops: 2 * 64 * 6 * 28 * 28 * 25,
  }),
  lenetLayer({
    id: 'conv_lenet2_fwd',
    title: 'conv 5×5, 64×6×14×14, 16 out',
    input: [64, 6, 14, 14],
    kernel: [16, 6, 5, 5],
    padding: 0,
    seed: 16,
    scale: 1 / 12,
    flops: 2 * 64 * 16 * 10 * 10 * 150,
  }),
]
