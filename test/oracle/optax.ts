/** JAX's initialisers by name; Optax's optimisers and schedules are read beside. */
import type { Tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import {
  type GoldenCase,
  type Json,
  type Outcome,
  decodeTensor,
  difference,
  failed,
  isTensorJson,
  leftOut,
  passed,
} from './cases.ts'
import { type Tensors, attributesOf } from './torch.ts'

export { type OptimCase, runOptimizer, runSchedule } from './optaxOptim.ts'

const fanModes: Readonly<Record<string, nn.initializers.FanMode>> = {
  fan_in: 'fanIn',
  fan_out: 'fanOut',
  fan_avg: 'fanAvg',
  fan_geo_avg: 'fanGeoAvg',
}
const distributions: Readonly<Record<string, nn.initializers.Distribution>> = {
  normal: 'normal',
  truncated_normal: 'truncatedNormal',
  uniform: 'uniform',
}

const axisOf = (json: Json | undefined): number | readonly number[] | undefined =>
  json instanceof Array ? json.map(Number) : typeof json === 'number' ? json : undefined

const fanAxes = (attrs: { readonly [name: string]: Json }): nn.initializers.FanAxes => {
  const entries = [
    ['inAxis', axisOf(attrs['in_axis'])],
    ['outAxis', axisOf(attrs['out_axis'])],
    ['batchAxis', axisOf(attrs['batch_axis'])],
  ] as const
  return Object.fromEntries(entries.filter(([, axis]) => axis !== undefined))
}

const initializerOf = ({ op, attrs }: GoldenCase): nn.initializers.Initializer | null => {
  const init = nn.initializers
  const a = attributesOf(attrs)
  switch (op.split('.').at(-1)!) {
    case 'zeros':
      return init.zeros
    case 'ones':
      return init.ones
    case 'constant':
      return init.constant(a.number('value'))
    case 'uniform':
      return init.uniform(a.number('scale', 0.01))
    case 'normal':
      return init.normal(a.number('stddev', 0.01))
    case 'truncated_normal':
      return init.truncatedNormal({
        standardDeviation: a.number('stddev', 0.01),
        lower: a.number('lower', -2),
        upper: a.number('upper', 2),
      })
    case 'glorot_uniform':
    case 'xavier_uniform':
      return init.glorotUniform(fanAxes(attrs))
    case 'glorot_normal':
    case 'xavier_normal':
      return init.glorotNormal(fanAxes(attrs))
    case 'he_uniform':
    case 'kaiming_uniform':
      return init.heUniform(fanAxes(attrs))
    case 'he_normal':
    case 'kaiming_normal':
      return init.heNormal(fanAxes(attrs))
    case 'lecun_uniform':
      return init.lecunUniform(fanAxes(attrs))
    case 'lecun_normal':
      return init.lecunNormal(fanAxes(attrs))
    case 'variance_scaling':
      return init.varianceScaling({
        scale: a.number('scale'),
        mode: fanModes[a.text('mode')]!,
        distribution: distributions[a.text('distribution')]!,
        ...fanAxes(attrs),
      })
    case 'orthogonal':
      return init.orthogonal({ scale: a.number('scale', 1), columnAxis: a.number('column_axis', -1) })
    case 'delta_orthogonal':
      return init.deltaOrthogonal({
        scale: a.number('scale', 1),
        columnAxis: a.number('column_axis', -1),
      })
    default:
      return null
  }
}

const statistics = (x: Tensor): Tensors => ({
  mean: x.mean(),
  std: x.std(),
  min: x.min(),
  max: x.max(),
  first: x.ravel().at(':6'),
})

export const runInitializer = (c: GoldenCase): Outcome => {
  const initializer = initializerOf(c)
  if (initializer === null) return leftOut('this initialiser is not built yet')
  const key = c.inputs['key']!
  if (!isTensorJson(key)) return failed('no key')
  const make = (k: Tensor): Tensor => initializer(k, attributesOf(c.attrs).numbers('shape'))
  for (const f of [make, jit(make)]) {
    const x = f(decodeTensor(key))
    const got: Tensors = c.name.startsWith('init_statistics/') ? statistics(x) : { y: x }
    for (const [name, expected] of Object.entries(c.outputs)) {
      const message = difference(got[name]!, expected, c.tol ?? 'exact')
      if (message !== null) return failed(`${f === make ? 'eager' : 'compiled'}, ${name}: ${message}`)
    }
  }
  return passed
}
