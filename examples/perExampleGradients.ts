/**
 * The gradient of every single example: `vmap(grad(loss))` of a loss written for one, no loop. Their
 * mean is the gradient of the batch; their norms show which pull hardest (here the two with a wrong
 * label). Clipping each before the mean is what differentially private training does.
 *
 *     node examples/dist/perExampleGradients.js
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, grad, jit, nn, np, optim, random, tree, vmap } from 'cotangent'

const network = nn.serial(nn.dense(16), nn.tanh, nn.dense(2))
type Params = nn.ParamsOf<typeof network>

const loss = (params: Params, x: Tensor, label: Tensor): Tensor => {
  const [logits] = network.apply({ params, state: {} }, x)
  return nn.losses.softmaxCrossEntropy(logits, label)
}

/** Points of the plane; the label says whether x + y > 0, but for the first two it is wrong. */
const makeData = (key: Tensor, count: number): readonly [x: Tensor, label: Tensor] => {
  const x = random.normal(key, [count, 2]).set(
    [':2'],
    [
      [1.5, 1],
      [-1, -1.5],
    ],
  )
  const label = x.sum({ axis: 1 }).greater(0).astype('int32')
  return [x, label.set([':2'], [0, 1])]
}

export const main = ({ count = 32, steps = 60, print = console.log } = {}) => {
  const [initKey, dataKey] = random.split(random.key(1))
  const [x, label] = makeData(dataKey!, count)

  const batchGradient = jit(grad(loss))
  let { params } = network.init(initKey!, [count, 2])
  for (let i = 0; i < steps; i++) {
    params = tree.map((p, g) => p.sub(g.mul(0.5)), params, batchGradient(params, x, label))
  }

  const perExample = jit(vmap(grad(loss), { inAxes: [null, 0, 0] }))
  const gradients = perExample(params, x, label)
  const norms = vmap((gradient: typeof gradients) => optim.globalNorm(gradient))(gradients)
  const largest = np.argsort(norms, { descending: true }).at(':2')
  const mean = tree.map((g) => g.mean({ axis: 0 }), gradients)
  const isMean = tree.allClose(mean, batchGradient(params, x, label), { atol: 1e-6 })

  print(`kernel of the first layer: ${params.dense1.kernel.shape.join(' × ')}`)
  print(`its gradients, one an example: ${gradients.dense1.kernel.shape.join(' × ')}`)
  print(`norms: ${String(norms)}`)
  print(`largest: examples ${String(largest)}; 0 and 1 are mislabelled`)
  print(`their mean is the gradient of the batch: ${isMean}`)
  return { gradients, norms, largest, isMean }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
