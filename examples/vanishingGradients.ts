/**
 * Exploding and vanishing gradients, seen and mended. Three recurrent layers read forty numbers and
 * are asked for the sign of the first: what a mistake has to say travels back through all steps.
 *
 *     node examples/dist/vanishingGradients.js
 *
 * `debug.gradients` looks at each network before training: at its layers, and (as the last steps hide
 * what vanishes) at every input. The plain networks end up guessing; with one change each they answer
 * everything. All six take 9 s on two cores.
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, debug, grad, jit, nn, np, optim, random } from 'cotangent'

const usual = { units: 24, time: 40, batch: 64, steps: 300, print: console.log }

export const main = (options: Partial<typeof usual> = {}) => {
  const { units, time, batch, steps, print } = { ...usual, ...options }
  const last = (x: Tensor): Tensor => x.at(':', -1)
  /** Recurrent weights have the standard deviation scale / √units. */
  const stack = (scale: number, kind?: 'residual' | 'normalised') => {
    const recurrentInit = nn.initializers.normal(scale / Math.sqrt(units))
    const cell = nn.defineCell({
      name: 'cell',
      init: (key, shape) => nn.rnnCell(units, { recurrentInit }).init(key, shape),
      initCarry: (_, [n]) => np.zeros([n!, units]),
      project: ({ kernel, bias }, x) => x.matmul(kernel).add(bias),
      step: ({ recurrentKernel }, old: Tensor, x): nn.CellOutput<Tensor> => {
        const sum = x.add(old.matmul(recurrentKernel))
        const fresh = (kind === 'normalised' ? nn.functional.layerNorm(sum) : sum).tanh()
        const next = kind === 'residual' ? old.add(fresh.mul(2 / time)) : fresh
        return [next, next]
      },
    })
    return nn.serial(nn.recurrent(cell, { layers: 3 }), last, nn.dense(1))
  }
  // Forget gates that start open: σ(log t) = 1 − 1 / (t + 1) remembers about t steps.
  const open: nn.initializers.Initializer = (_, [n]) =>
    np.repeat(np.array([0, Math.log(time), 0, 0]), n! / 4)
  const gated = nn.serial(nn.lstm(units, { layers: 3, biasInit: open }), last, nn.dense(1))
  const [draw, descent] = [questions(time, batch), optim.sgd(0.05, { momentum: 0.9 })]
  const clipped = optim.chain(optim.clipByGlobalNorm(1), descent)

  const compare = <P, S>(
    name: string,
    network: nn.Layer<P, nn.None>,
    optimizer: optim.GradientTransformation<S>,
  ) => {
    const answer = (p: P, x: Tensor): Tensor => network.apply({ params: p, state: {} }, x)[0]
    const loss = (p: P, x: Tensor, y: Tensor): Tensor =>
      nn.losses.sigmoidBinaryCrossEntropy(answer(p, x), y)
    let { params } = network.init(random.key(0), [batch, time, 1])
    const [x, y] = draw(random.key(1))
    const byLayer = debug.gradients(loss)(params, x, y)
    const ofSteps = (xs: readonly Tensor[]): Tensor => loss(params, np.concatenate(xs, 1), y)
    const byStep = debug.gradients(ofSteps, { vanishing: 1e-9 })(np.split(x, time, { axis: 1 }))
    const learn = jit((p: P, state: S, key: Tensor) => {
      const [updates, next] = optimizer.update(grad(loss)(p, ...draw(key)), state, p)
      return [optim.applyUpdates(p, updates), next] as const
    })
    let state = optimizer.init(params)
    for (let i = 2; i < steps + 2; i++) [params, state] = learn(params, state, random.key(i))
    const accuracy = answer(params, x).greater(0).equal(y.greater(0)).mean().item()
    const verdict = (byLayer.first ?? byStep.first)?.verdict ?? 'healthy'
    const [first, final] = [0, -1].map((t) => byStep.layers.at(t)!.norm.toExponential(0))
    print(row(name, verdict, first!, final!, `${(100 * accuracy).toFixed(0)} %`))
    return { byLayer, byStep, accuracy }
  }
  print(row('', 'gradients', 'first input', 'last input', 'accuracy'))
  return {
    small: compare('plain, small weights', stack(0.5), descent),
    residual: compare('  residual', stack(0.5, 'residual'), descent),
    gated: compare('  gated (LSTM)', gated, descent),
    large: compare('plain, large weights', stack(3), descent),
    clipped: compare('  clipped', stack(3), clipped),
    normalized: compare('  normalised', stack(3, 'normalised'), descent),
  }
}

/** A first number that is 1 or −1, noise after it, and whether it was 1. */
const questions = (time: number, batch: number) => (key: Tensor) => {
  const first = random.rademacher(key, { shape: [batch, 1] }).astype('float32')
  const noise = random.normal(random.foldIn(key, 1), [batch, time, 1]).mul(0.3)
  return [noise.set([':', 0], first), first.maximum(0)] as const
}

const row = (name: string, ...cells: readonly string[]): string =>
  name.padEnd(22) + cells.map((cell) => cell.padStart(12)).join('')

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
