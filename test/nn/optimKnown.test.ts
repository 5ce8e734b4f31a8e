/** Five steps of rules on a small quadratic, against the same rules in double precision. */
import { type Tensor, tensor, valueAndGrad } from '@cotangent/core'
import { optim } from '@cotangent/nn'
import { expect, test } from 'vitest'

interface Point {
  readonly x: Tensor
  readonly y: Tensor
}

const loss = ({ x, y }: Point): Tensor => x.square().add(y.square().mul(10)).mul(0.5).add(0.5)

const rules: Readonly<
  Record<string, readonly [optim.AnyTransformation, readonly [x: number, y: number]]>
> = {
  dadaptAdamW: [
    optim.dadaptAdamW(1, { initialRate: 0.01, weightDecay: 0.1 }),
    [1.81798, -0.825884],
  ],
  momo: [optim.momo(1, { weightDecay: 0.1, adaptLowerBound: true }), [1.151869, -0.171052]],
  momoAdam: [optim.momoAdam(1, { weightDecay: 0.1, adaptLowerBound: true }), [0.754278, -0.148007]],
  mechanize: [optim.mechanize(optim.sgd(0.1), { sInit: 0.5 }), [1.515829, 0.065001]],
  dowg: [optim.dowg(1, { initEstimSqDist: 0.01 }), [1.766593, -0.195486]],
  simplifiedAdemamix: [optim.simplifiedAdemamix(0.01, { alpha: 0.5 }), [1.827251, -0.827568]],
  scaleByDistanceOverGradients: [
    optim.chain(optim.scaleByDistanceOverGradients({ repsRel: 0.05 }), optim.scale(-1)),
    [1.231857, -0.512423],
  ],
  scaleByBacktrackingLinesearch: [
    optim.chain(optim.scale(-1), optim.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 30 })),
    [0.717867, 0.428038],
  ],
}

for (const [name, [rule, [x, y]]] of Object.entries(rules)) {
  test(name, () => {
    let p: Point = { x: tensor(2), y: tensor(-1) }
    let state = rule.init(p)
    for (let i = 0; i < 5; i++) {
      const [value, grad] = valueAndGrad(loss)(p)
      const [updates, next] = rule.update(grad, state, p, { value, grad, valueFn: loss })
      p = optim.applyUpdates(p, updates)
      state = next
    }
    expect([p.x.item(), p.y.item()]).toEqual([expect.closeTo(x, 4), expect.closeTo(y, 4)])
  })
}
