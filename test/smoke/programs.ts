/**
 * Small programs through all of the library, the same on every engine: what they give in a page, or
 * in another version of Node, is compared with what they give here.
 */
import {
  type Tensor,
  cond,
  grad,
  models,
  nn,
  np,
  optim,
  random,
  scan,
  tensor,
  train,
  vmap,
  whileLoop,
} from 'cotangent'
import type { Compile } from './modes.ts'

/** Runs a program, its functions compiled by `compile`; gives tensors whose elements are compared. */
export type SmokeProgram = (compile: Compile) => readonly Tensor[]

/** Numbers between -0.5 and 0.5 that need no generator. */
const ramp = (shape: readonly number[], step = 37): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  const elements = Float32Array.from({ length: size }, (_, i) => ((i * step) % 101) / 101 - 0.5)
  return tensor(elements).reshape(shape)
}

const elementwise: SmokeProgram = (compile) => {
  const f = compile((x: Tensor, y: Tensor) => np.tanh(x.mul(2).add(y)).div(np.exp(x).add(1)))
  return [f(ramp([61, 67]), ramp([67], 11))]
}

/** Large enough to be shared out between threads. */
const matmul: SmokeProgram = (compile) => {
  const f = compile((a: Tensor, b: Tensor) => np.maximum(a.matmul(b), 0).sum(0))
  return [f(ramp([192, 160]), ramp([160, 224], 53))]
}

const convolution: SmokeProgram = (compile) => {
  const f = compile((x: Tensor, kernel: Tensor) =>
    nn.functional.conv(x, kernel, { padding: 'same', stride: 2 }),
  )
  return [f(ramp([2, 3, 19, 17]), ramp([8, 3, 3, 3], 13))]
}

const convolutionGradient: SmokeProgram = (compile) => {
  const loss = (kernel: Tensor, x: Tensor): Tensor =>
    nn.functional.conv(x, kernel, { padding: 'same' }).square().sum()
  return [compile(grad(loss))(ramp([8, 4, 3, 3], 13), ramp([2, 4, 16, 16]))]
}

const pooling: SmokeProgram = (compile) => {
  const pool = (x: Tensor): readonly Tensor[] => [
    nn.functional.maxPool(x, { window: 2 }),
    nn.functional.avgPool(x, { window: 3, stride: 2 }),
  ]
  const descent = grad((x: Tensor) => {
    const [largest, mean] = pool(x)
    return largest!.square().sum().add(mean!.sum())
  })
  const x = ramp([2, 3, 15, 13])
  return [...compile(pool)(x), compile(descent)(x)]
}

const recurrence: SmokeProgram = (compile) => {
  const f = compile((weights: Tensor, xs: Tensor) =>
    scan(
      (h: Tensor, x: Tensor) => {
        const next = np.tanh(h.matmul(weights).add(x))
        return [next, next.sum()] as const
      },
      np.zeros([32]),
      xs,
    ),
  )
  const [last, sums] = f(ramp([32, 32]), ramp([40, 32], 29))
  return [last, sums]
}

const loops: SmokeProgram = (compile) => {
  const f = compile((x: Tensor) => {
    const reached = whileLoop(
      (y: Tensor) => y.sum().less(1000),
      (y: Tensor) => y.mul(1.5).add(1),
      x,
    )
    return cond(
      reached.sum().greater(1010),
      (y: Tensor) => y.neg(),
      (y: Tensor) => y,
      reached,
    )
  })
  return [f(ramp([50]))]
}

const derivatives: SmokeProgram = (compile) => {
  const loss = (w: Tensor, x: Tensor): Tensor => np.tanh(x.matmul(w)).square().mean()
  const perExample = vmap(grad(loss), { inAxes: [null, 0] })
  const [w, xs] = [ramp([24, 12]), ramp([16, 4, 24], 41)]
  return [compile(grad(loss))(w, xs), compile(perExample)(w, xs)]
}

const donation: SmokeProgram = (compile) => {
  const step = compile((state: Tensor, x: Tensor) => state.mul(0.5).add(x), { donate: 0 })
  const x = ramp([100, 41])
  let state = np.zeros([100, 41])
  for (let i = 0; i < 20; i++) state = step(state, x)
  return [state]
}

const randomNumbers: SmokeProgram = (compile) => {
  const f = compile((key: Tensor) => {
    const [a, b] = random.split(key)
    return [
      random.bits(a!, [100]),
      random.uniform(a!, [1000]),
      random.normal(b!, [1000]),
      random.permutation(b!, 50),
    ]
  })
  return f(random.key(7))
}

const integersAndHalves: SmokeProgram = (compile) => {
  const f = compile((n: Tensor, x: Tensor) => [
    np.mod(n.mul(3), 7),
    np.sort(x),
    np.argmax(x),
    x.astype('float16').mul(3),
    x.astype('float64').mul(3).sum(),
    np.take(x, n),
  ])
  return f(tensor([3, 1, 4, 1, 5, 9, 2, 6], { dtype: 'int32' }), ramp([300]))
}

/** Each operation by itself, compiled or interpreted as the library likes. */
const eager: SmokeProgram = () => {
  const x = ramp([64, 48])
  const y = x.matmul(x.transpose()).add(1)
  return [y, np.exp(y).sum(1), y.transpose().reshape([32, 128]).max(0)]
}

const lenet: SmokeProgram = (compile) => {
  const model = models.lenet5()
  const optimizer = optim.adam(1e-3)
  const step = compile(
    train.makeStep({
      model,
      optimizer,
      loss: (logits: Tensor, y: Tensor) => nn.losses.softmaxCrossEntropy(logits, y),
      metrics: { accuracy: nn.metrics.accuracy },
    }),
    { donate: 0 },
  )
  const { params, state } = model.init(random.key(0), [8, 1, 28, 28])
  let now = { params, state, optimizerState: optimizer.init(params) }
  const labels = tensor([3, 1, 4, 1, 5, 9, 2, 6], { dtype: 'int32' })
  const losses: Tensor[] = []
  for (let i = 0; i < 3; i++) {
    const { next, loss } = step(now, ramp([8, 1, 28, 28]), labels, random.key(1), i)
    now = next
    losses.push(loss)
  }
  return [np.stack(losses), now.params.dense3.bias, now.params.conv1.kernel]
}

/** More than the heap takes before it makes room, all of it in use to the end. */
const eviction: SmokeProgram = (compile) => {
  const f = compile((x: Tensor) => x.mul(0.5).add(1))
  const total = compile((x: Tensor) => x.reshape([-1, 64]).sum(0))
  let x = ramp([512, 512])
  const all = Array.from({ length: 48 }, () => {
    x = f(x)
    return x
  })
  return all.map((y) => total(y))
}

export const smokePrograms: Readonly<Record<string, SmokeProgram>> = {
  elementwise,
  matmul,
  convolution,
  convolutionGradient,
  pooling,
  recurrence,
  loops,
  derivatives,
  donation,
  randomNumbers,
  integersAndHalves,
  eager,
  lenet,
  eviction,
}
