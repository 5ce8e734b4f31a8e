/** Layers made of layers: names, types, laws, shared and frozen parameters, errors with a path. */
import { CotangentError, ShapeError, type Tensor, grad, sizeOf, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn, optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(3)
const close = (a: Tensor, b: Tensor): boolean => np.allclose(a, b, { atol: 1e-5 }).item() === 1
const count = (params: unknown): number =>
  tree
    .leaves(params)
    .reduce<number>((n, leaf) => n + (typeof leaf === 'object' ? sizeOf(leaf.shape) : 1), 0)
const errorOf = (f: () => unknown): CotangentError => {
  try {
    f()
  } catch (error) {
    if (error instanceof CotangentError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('branches, parallel and what joins them', () => {
  const inception = nn.serial({
    mixed: nn.branches(
      nn.conv2d(2, 1),
      nn.serial(nn.conv2d(3, 1), nn.relu, nn.conv2d(4, 3, { padding: 1 })),
      nn.serial(nn.maxPool2d(3, { stride: 1, padding: 1 }), nn.conv2d(1, 1)),
      nn.named(
        'pass',
        nn.lambda((x) => x),
      ),
    ),
    concat: nn.concat(),
  })

  test('name their parts, at run time and in types', () => {
    const { params, outputShape } = inception.init(key, [2, 3, 6, 6])
    expect(Object.keys(params.mixed)).toEqual(['branch1', 'branch2', 'branch3'])
    expectTypeOf(params.mixed.branch2.conv2.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf<keyof typeof params.mixed>().toEqualTypeOf<'branch1' | 'branch2' | 'branch3'>()
    expect(outputShape).toEqual([2, 2 + 4 + 1 + 3, 6, 6])
    expect(count(params)).toBe(3 * 2 + 2 + (3 * 3 + 3) + (3 * 4 * 9 + 4) + (3 + 1))
  })

  test('functions in a record have no trees, in types neither', () => {
    const net = nn.serial({ norm: nn.batchNorm(), relu: nn.relu, double: (x) => x.mul(2) })
    const { params, state } = net.init(key, [2, 3, 6, 6])
    expect(Object.keys(params)).toEqual(['norm'])
    expectTypeOf<keyof typeof params>().toEqualTypeOf<'norm'>()
    expectTypeOf<keyof typeof state>().toEqualTypeOf<'norm'>()
  })

  test('concat of branches is what each gives, side by side', () => {
    const variables = inception.init(key, [2, 3, 6, 6])
    const x = random.normal(key, [2, 3, 6, 6])
    const run = (v: typeof variables, input: Tensor) => inception.apply(v, input)[0]
    const y = run(variables, x)
    expect(close(y.at(':', '7:'), x)).toBe(true)
    const first = nn.conv2d(2, 1).apply({ params: variables.params.mixed.branch1, state: {} }, x)[0]
    expect(close(y.at(':', ':2'), first)).toBe(true)
    expect(close(jit(run)(variables, x), y)).toBe(true)
  })

  test('several inputs, several outputs', () => {
    const net = nn.parallel(nn.dense(4), nn.named('side', nn.dense(5)))
    const made = net.init(key, [
      [2, 3],
      [2, 7],
    ])
    expect(made.outputShape).toEqual([
      [2, 4],
      [2, 5],
    ])
    expectTypeOf(made.params.side.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf(made.outputShape).toEqualTypeOf<readonly [readonly number[], readonly number[]]>()
    const [[a, b]] = net.apply(made, [np.ones([2, 3]), np.ones([2, 7])])
    expect([a.shape, b.shape]).toEqual([
      [2, 4],
      [2, 5],
    ])
    expect(errorOf(() => net.init(key, [2, 3])).message).toContain('every layer has its own input')
    const byName = nn.serial(nn.parallel({ left: nn.dense(4), right: nn.dense(4) }), nn.add())
    const { params } = byName.init(key, [
      [2, 3],
      [2, 7],
    ])
    expect(params.parallel1.right.kernel.shape).toEqual([7, 4])
  })

  test('refuse what does not fit together', () => {
    const heights = nn.serial(nn.branches(nn.conv2d(2, 1), nn.conv2d(2, 3)), nn.concat())
    const error = errorOf(() => heights.init(key, [1, 3, 6, 6]))
    expect(error.message).toContain('concat1: concat: input 1 does not fit along axis 2')
    expect(
      errorOf(() => nn.serial(nn.branches(nn.relu()), nn.dense(3)).init(key, [1, 3])).message,
    ).toContain('takes one tensor and gets several')
    expect(errorOf(() => nn.serial(nn.relu(), nn.add()).init(key, [1, 3])).message).toContain(
      'there is no list of tensors',
    )
  })

  test('add, multiply, maximum, average, stack', () => {
    const of = (join: nn.Merge<string>) =>
      nn.serial(
        nn.branches(
          (x) => x,
          (x) => x.mul(3),
        ),
        join,
      )
    const x = np.ones([2, 2])
    const value = (join: nn.Merge<string>): unknown =>
      of(join)
        .apply(of(join).init(key, [2, 2]), x)[0]
        .at(0, 0)
        .toArray()
    expect([nn.add(), nn.multiply(), nn.maximum(), nn.average(), nn.stack()].map(value)).toEqual([
      4,
      3,
      3,
      2,
      [1, 3],
    ])
    expect(of(nn.stack(0)).init(key, [2, 2]).outputShape).toEqual([2, 2, 2])
  })
})

describe('lambda', () => {
  test('of one tensor and of a list', () => {
    const difference = nn.lambda(([a, b]: readonly [Tensor, Tensor]) => a.sub(b))
    const net = nn.serial(
      nn.branches(
        nn.lambda((x) => x.sum({ axis: 1 })),
        (x) => x.at(':', 0),
      ),
      difference,
    )
    const made = net.init(key, [2, 3])
    expect(made.outputShape).toEqual([2])
    expect(net.apply(made, np.ones([2, 3]))[0].toArray()).toEqual([2, 2])
  })
})

describe('residual', () => {
  const block = nn.residual(nn.serial(nn.conv2d(4, 3, { padding: 1 }), nn.batchNorm()), {
    shortcut: nn.conv2d(4, 1, { useBias: false }),
    activation: nn.relu,
  })

  test('adds body and shortcut', () => {
    const made = block.init(key, [2, 3, 5, 5])
    expectTypeOf(made.params.body.conv1.bias).toEqualTypeOf<Tensor>()
    expectTypeOf(made.params.shortcut.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf(made.state.body.batchNorm1.mean).toEqualTypeOf<Tensor>()
    expect(made.outputShape).toEqual([2, 4, 5, 5])
    const plain = nn.residual(nn.dense(3, { kernelInit: nn.initializers.zeros }))
    const v = plain.init(key, [2, 3])
    expectTypeOf<keyof typeof v.params>().toEqualTypeOf<'body'>()
    const x = random.normal(key, [2, 3])
    expect(plain.apply(v, x)[0].toArray()).toEqual(x.toArray())
    const [, state] = block.apply(made, np.ones([2, 3, 5, 5]), { train: true })
    expect(tree.structure(state).key).toBe(tree.structure(made.state).key)
  })

  test('says where the shapes part', () => {
    const error = errorOf(() => nn.residual(nn.dense(4)).init(key, [2, 3]))
    expect(error.message).toMatch(/add: add: the inputs differ in shape[\s\S]*\[2,4\], \[2,3\]/)
  })
})

describe('repeat', () => {
  test('gives each its own parameters, typed by number', () => {
    const net = nn.repeat(3, nn.dense(4))
    const { params } = net.init(key, [1, 4])
    expectTypeOf<keyof typeof params>().toEqualTypeOf<'dense1' | 'dense2' | 'dense3'>()
    expect(Object.keys(params)).toEqual(['dense1', 'dense2', 'dense3'])
    expect(close(params.dense1.kernel, params.dense2.kernel)).toBe(false)
    const halving = nn.repeat(2, (i) => nn.conv2d(8 << i, 3, { stride: 2, padding: 1 }))
    expect(halving.init(key, [1, 3, 8, 8]).outputShape).toEqual([1, 16, 2, 2])
    expect(errorOf(() => nn.repeat(0, nn.dense(1))).message).toContain('a positive integer')
  })
})

describe('shared', () => {
  const step = nn.shared(nn.dense(4), 'step')
  const net = nn.serial(step, nn.tanh, step, nn.tanh)

  test('has its parameters once', () => {
    const { params } = net.init(key, [1, 4])
    expectTypeOf(params.step.kernel).toEqualTypeOf<Tensor>()
    expect(Object.keys(params)).toEqual(['step'])
    expect(count(params)).toBe(20)
  })

  test('its gradients add up', () => {
    const variables = net.init(key, [1, 4])
    const x = random.normal(random.key(5), [3, 4])
    const twice = nn.serial(nn.dense(4), nn.tanh, nn.dense(4), nn.tanh)
    const p = variables.params.step
    const loss = (v: typeof variables.params): Tensor =>
      net.apply({ params: v, state: {} }, x)[0].sum()
    const apart = grad(
      (v: { readonly dense1: typeof p; readonly dense2: typeof p }): Tensor =>
        twice.apply({ params: v, state: {} }, x)[0].sum(),
    )({ dense1: p, dense2: p })
    const together = grad(loss)(variables.params)
    expect(close(together.step.kernel, apart.dense1.kernel.add(apart.dense2.kernel))).toBe(true)
    const compiled = jit(grad(loss))(variables.params)
    expect(close(compiled.step.kernel, together.step.kernel)).toBe(true)
  })

  test('also in different branches, whose types say where it is', () => {
    const twins = nn.parallel({
      left: nn.serial(step, nn.relu),
      right: nn.serial(nn.reuse(step), nn.relu),
    })
    const made = twins.init(key, [
      [1, 4],
      [1, 4],
    ])
    expectTypeOf<keyof typeof made.params>().toEqualTypeOf<'left'>()
    expect(count(made.params)).toBe(20)
    const x = random.normal(key, [2, 4])
    const [[left, right]] = twins.apply(made, [x, x])
    expect(left!.toArray()).toEqual(right!.toArray())
    const other = nn.parallel(step, nn.named('again', nn.reuse(step)))
    expect(
      errorOf(() =>
        other.init(key, [
          [1, 4],
          [1, 5],
        ]),
      ).message,
    ).toContain('needs other parameters than the first')
    expect(errorOf(() => nn.serial(nn.reuse(step)).init(key, [1, 4])).message).toContain(
      'no parameters to use again',
    )
  })
})

describe('frozen', () => {
  const net = nn.serial(nn.named('base', nn.frozen(nn.serial(nn.dense(3), nn.tanh))), nn.dense(2))

  test('gets no gradient; the trees stay', () => {
    const { params, state } = net.init(key, [1, 4])
    const g = grad(
      (p: typeof params): Tensor => net.apply({ params: p, state }, np.ones([2, 4]))[0].sum(),
    )(params)
    expect(g.base.dense1.kernel.abs().max().item()).toBe(0)
    expect(g.dense1.kernel.abs().max().item()).toBeGreaterThan(0)
  })

  test('stays under an optimiser that decays weights, behind its mask', () => {
    const { params, state } = net.init(key, [1, 4])
    const mask = nn.trainable(net, params)
    const optimizer = optim.masked(optim.adamw(0.1, { weightDecay: 0.1 }), mask)
    const loss = (p: typeof params): Tensor =>
      net
        .apply({ params: p, state }, np.ones([2, 4]))[0]
        .square()
        .sum()
    const [updates] = optimizer.update(grad(loss)(params), optimizer.init(params), params)
    const next = optim.applyUpdates(params, updates)
    expect(next.base.dense1.kernel.toArray()).toEqual(params.base.dense1.kernel.toArray())
    expect(close(next.dense1.kernel, params.dense1.kernel)).toBe(false)
  })

  test('as masks and partitions', () => {
    const { params } = net.init(key, [1, 4])
    expect(nn.trainable(net, params)).toEqual({
      base: { dense1: { kernel: false, bias: false } },
      dense1: { kernel: true, bias: true },
    })
    const byPath = nn.frozen(nn.serial(nn.dense(3), nn.dense(2)), ['dense2', 'dense1.bias'])
    const made = byPath.init(key, [1, 4])
    expect(nn.trainable(byPath, made.params)).toEqual({
      dense1: { kernel: true, bias: false },
      dense2: { kernel: false, bias: false },
    })
    const [held, learned] = tree.partition(nn.isFrozen(net), params)
    expect(tree.leaves(held)).toHaveLength(2)
    expect(tree.leaves(learned)).toHaveLength(2)
    expect(tree.equals(tree.combine(held, learned), params)).toBe(true)
  })
})

describe('timeDistributed', () => {
  test('is the layer at every step', () => {
    const layer = nn.serial(nn.conv1d(4, 3), nn.relu)
    const overTime = nn.timeDistributed(layer)
    const made = overTime.init(key, [2, 5, 3, 9])
    expect(made.outputShape).toEqual([2, 5, 4, 7])
    const x = random.normal(key, [2, 5, 3, 9])
    const [y] = overTime.apply(made, x)
    expect(close(y.at(':', 2), layer.apply(made, x.at(':', 2))[0])).toBe(true)
  })
})

describe('laws', () => {
  const widths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 })

  test('a serial of serials is the serial of all', () => {
    fc.assert(
      fc.property(widths, fc.integer({ min: 1, max: 4 }), (units, cut) => {
        const at = Math.min(cut, units.length - 1)
        const layers = units.map((n, i) => nn.named(`d${i}`, nn.dense(n)))
        const record = (part: readonly (typeof layers)[number][]) =>
          Object.fromEntries(part.map((layer) => [layer.name, layer]))
        const flat = nn.serial(record(layers))
        const nested = nn.serial({
          a: nn.serial(record(layers.slice(0, at))),
          b: nn.serial(record(layers.slice(at))),
        })
        const { params } = nested.init(key, [2, 3])
        const x = random.normal(key, [2, 3])
        const y = nested.apply({ params, state: {} }, x)[0]
        const z = flat.apply({ params: { ...params.a, ...params.b }, state: {} }, x)[0]
        return close(y, z)
      }),
      { numRuns: 15 },
    )
  })

  test('identity is the unit of serial, and branches of one is the layer', () => {
    const layer = nn.dense(3)
    const alone = layer.init(key, [2, 4])
    const x = random.normal(key, [2, 4])
    const [y] = layer.apply(alone, x)
    const around = nn.serial(nn.identity, layer, nn.identity)
    expect(around.apply({ params: { dense1: alone.params }, state: {} }, x)[0].toArray()).toEqual(
      y.toArray(),
    )
    const [[z]] = nn.branches(layer).apply({ params: { branch1: alone.params }, state: {} }, x)
    expect(z.toArray()).toEqual(y.toArray())
  })
})

describe('errors say where the layer is', () => {
  const net = nn.serial({
    features: nn.serial({
      block1: nn.serial(nn.conv2d(4, 3), nn.relu, nn.conv2d(8, 3)),
    }),
    head: nn.serial(nn.flatten(), nn.dense(2)),
  })
  test('at init and apply', () => {
    const small = errorOf(() => net.init(key, [1, 1, 4, 4]))
    expect(small).toBeInstanceOf(ShapeError)
    expect(small.message).toMatch(/^conv2 \(in features\.block1\): conv2d: the window is larger/)
    const made = net.init(key, [1, 1, 6, 6])
    const run = (x: Tensor) => errorOf(() => net.apply(made, x)).message
    expect(run(np.ones([1, 2, 6, 6]))).toMatch(
      /^conv1 \(in features\.block1\): conv2d: axis 1 \(channels\)[\s\S]*got +extent 2[\s\S]*want +1 channels/,
    )
    expect(run(np.ones([1, 1, 2, 6]))).toMatch(
      /^conv1 \(in features\.block1\): conv: the window is larger than the input along spatial axis 0/,
    )
    expect(run(np.ones([1, 1, 7, 7]))).toMatch(/^dense1 \(in head\): dense: axis 1 \(features\)/)
    expect(() => jit((x: Tensor) => net.apply(made, x))(np.ones([1, 2, 6, 6]))).toThrow(
      /conv1 \(in features\.block1\)/,
    )
  })
})
