/**
 * Linear regression by hand: a loss, `grad` of it, and a loop. Nothing is declared differentiable,
 * nothing is freed, and parameters are a plain object.
 *
 *     node examples/dist/linearRegression.js
 *
 * Recovers w = [2, -3, 0.5] and b = 4 to within 0.01 from 256 points with noise of 0.1.
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, grad, random, tensor, tree } from 'cotangent'

interface Params {
  readonly w: Tensor
  readonly b: Tensor
}

const predict = ({ w, b }: Params, x: Tensor): Tensor => x.matmul(w).add(b)

const loss = (params: Params, x: Tensor, y: Tensor): Tensor =>
  predict(params, x).sub(y).square().mean()

const truth: Params = { w: tensor([2, -3, 0.5]), b: tensor(4) }

const makeData = (key: Tensor, count: number): readonly [x: Tensor, y: Tensor] => {
  const [xKey, noiseKey] = random.split(key)
  const x = random.normal(xKey!, [count, 3])
  const noise = random.normal(noiseKey!, [count]).mul(0.1)
  return [x, predict(truth, x).add(noise)]
}

export const main = ({ points = 256, steps = 100, rate = 0.1, print = console.log } = {}) => {
  const [x, y] = makeData(random.key(0), points)
  const gradient = grad(loss)
  let params: Params = { w: tensor([0, 0, 0]), b: tensor(0) }
  const losses = [loss(params, x, y).item()]
  for (let step = 1; step <= steps; step++) {
    const slope = gradient(params, x, y)
    params = tree.map((p, g) => p.sub(g.mul(rate)), params, slope)
    losses.push(loss(params, x, y).item())
    if (step % 20 === 0) print(`step ${step}: loss ${losses.at(-1)!.toFixed(5)}`)
  }
  print(`found w = ${String(params.w)}, b = ${params.b.item().toFixed(3)}`)
  print(`truth w = ${String(truth.w)}, b = ${truth.b.item()}`)
  return { params, truth, losses }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
