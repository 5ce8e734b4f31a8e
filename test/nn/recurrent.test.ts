/** Recurrent layers: stacks, directions, masks, states, windows, cells of one's own. */
import { CotangentError, type Tensor, grad, stopGradient, tensor, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { checkGrads, np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(11)
const none = nn.none
const [batch, time, features, units] = [3, 5, 4, 6] as const
const x = random.normal(random.key(1), [batch, time, features])
const lengths = tensor(Int32Array.of(5, 2, 3))

const expectClose = (got: unknown, want: unknown, atol = 2e-6): void => {
  if (tree.allClose(got, want, { rtol: 1e-5, atol })) return
  expect(tree.map((t: Tensor) => t.toArray(), got)).toEqual(
    tree.map((t: Tensor) => t.toArray(), want),
  )
}
const messageOf = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    if (error instanceof CotangentError) return error.message
    throw error
  }
  return 'nothing was thrown'
}

const kinds = {
  rnn: nn.recurrent(nn.rnnCell(units), { returnCarry: true }),
  lstm: nn.recurrent(nn.lstmCell(units), { returnCarry: true }),
  projected: nn.recurrent(nn.lstmCell(units, { projection: 2 }), { returnCarry: true }),
  peephole: nn.recurrent(nn.lstmCell(units, { peephole: true }), { returnCarry: true }),
  gru: nn.recurrent(nn.gruCell(units), { returnCarry: true }),
  mgu: nn.recurrent(nn.mguCell(units), { returnCarry: true }),
  normalized: nn.recurrent(nn.layerNormLstmCell(units), { returnCarry: true }),
  reversed: nn.recurrent(nn.gruCell(units), { returnCarry: true, reverse: true }),
  both: nn.recurrent(nn.lstmCell(units), { returnCarry: true, bidirectional: true, layers: 2 }),
} as const
type Any = nn.Layer<
  unknown,
  nn.None,
  string,
  nn.RecurrentOutput<unknown>,
  nn.RecurrentInput<unknown>
>
const all: readonly (readonly [string, Any])[] = Object.entries<Any>(kinds)

describe('sequences of different lengths', () => {
  test.each(all)('%s: a masked batch is each sequence alone', (_, layer) => {
    const { params } = layer.init(key, x.shape)
    const run = (input: nn.RecurrentInput<unknown>) =>
      layer.apply({ params, state: none }, input)[0]
    const together = run({ inputs: x, lengths })
    const mask = nn.functional.maskOfLengths(lengths, time)
    expectClose(run({ inputs: x, mask }), together)
    for (const [i, length] of [5, 2, 3].entries()) {
      const alone = run(x.at(`${i}:${i + 1}`, `:${length}`))
      expectClose(together.outputs.at(i, `:${length}`), alone.outputs.at(0))
      expectClose(
        together.outputs.at(i, `${length}:`),
        np.zerosLike(together.outputs.at(i, `${length}:`)),
      )
      expectClose(
        tree.map((t: Tensor) => t.at(`${i}:${i + 1}`), together.carry),
        alone.carry,
      )
    }
  })

  test.each([false, true])('the last valid output, reverse: %s', (reverse) => {
    // A cell whose output is not part of its carry, so the last one has to be found.
    const counter = nn.defineCell({
      name: 'counter',
      init: (_, shape) => ({ params: none, outputShape: shape }),
      initCarry: (_, shape) => np.zeros(shape),
      step: (_, old: Tensor, input) => [old.add(input), old.add(input).mul(2)] as const,
    })
    const whole = nn
      .recurrent(counter, { reverse })
      .apply({ params: none, state: none }, { inputs: x, lengths })[0]
    const last = nn.recurrent(counter, { reverse, returnSequences: false })
    const [y] = last.apply({ params: none, state: none }, { inputs: x, lengths })
    const ends = [4, 1, 2].map((end, i) => whole.at(i, reverse ? 0 : end))
    expectClose(y, np.stack(ends))
  })

  test('a sequence without steps keeps its state', () => {
    const layer = nn.gru(units, { returnCarry: true })
    const { params } = layer.init(key, x.shape)
    const carry = { h: random.normal(key, [batch, units]) }
    const input = { inputs: x, lengths: tensor(Int32Array.of(0, 5, 0)), carry }
    const [y] = layer.apply({ params, state: none }, input)
    expectClose(y.carry.h.at(0), carry.h.at(0))
    expectClose(y.outputs.at(2), np.zeros([time, units]))
  })
})

describe('layers and directions', () => {
  test('both directions are forward and reversed', () => {
    const layer = nn.gru(units, { bidirectional: true, returnCarry: true })
    const { params, outputShape } = layer.init(key, x.shape)
    expect(outputShape).toEqual([batch, time, 2 * units])
    const [y] = layer.apply({ params, state: none }, x)
    const one = (reverse: boolean, p: nn.GruParams) =>
      nn
        .recurrent(nn.gruCell(units), { reverse, returnCarry: true })
        .apply({ params: p, state: none }, x)[0]
    const [forward, backward] = [one(false, params.forward), one(true, params.backward)]
    expectClose(y.outputs, np.concatenate([forward.outputs, backward.outputs], { axis: -1 }))
    expectClose(y.carry, { forward: forward.carry, backward: backward.carry })
    const flipped = nn.gru(units).apply({ params: params.backward, state: none }, np.flip(x, 1))[0]
    expectClose(backward.outputs, np.flip(flipped, 1))
    for (const [merge, want] of [
      ['sum', forward.outputs.add(backward.outputs)],
      ['mean', forward.outputs.add(backward.outputs).div(2)],
      ['mul', forward.outputs.mul(backward.outputs)],
    ] as const) {
      const merged = nn.gru(units, { bidirectional: true, merge })
      expect(merged.init(key, x.shape).outputShape).toEqual([batch, time, units])
      expectClose(merged.apply({ params, state: none }, x)[0], want)
    }
    const many = nn.gru(units, { bidirectional: true, returnSequences: false })
    const last = many.apply({ params, state: none }, x)[0]
    expectClose(last, np.concatenate([forward.carry.h, backward.carry.h], { axis: -1 }))
  })

  test('a stack is its layers one after the other', () => {
    const stack = nn.lstm(units, { layers: 2, returnCarry: true })
    const { params } = stack.init(key, x.shape)
    expectTypeOf(params.layer2.recurrentKernel).toEqualTypeOf<Tensor>()
    expect(params.layer2.kernel.shape).toEqual([units, 4 * units])
    const single = nn.lstm(units, { returnCarry: true })
    const [below] = single.apply({ params: params.layer1, state: none }, x)
    const [above] = single.apply({ params: params.layer2, state: none }, below.outputs)
    const [y] = stack.apply({ params, state: none }, x)
    expectClose(y, { outputs: above.outputs, carry: { layer1: below.carry, layer2: above.carry } })
  })

  test('any two layers, one from the end', () => {
    const layer = nn.bidirectional(nn.serial(nn.gru(units), nn.dense(2)), nn.rnn(3))
    const { params, state, outputShape } = layer.init(key, x.shape)
    expect(outputShape).toEqual([batch, time, 5])
    expect(params.forward.gru1.kernel.shape).toEqual([features, 3 * units])
    const [y] = layer.apply({ params, state }, { inputs: x, lengths })
    const own = { params: params.backward, state: none }
    const [back] = nn.rnn(3, { reverse: true }).apply(own, x.at('1:2', ':2'))
    expectClose(y.at('1:2', ':2', '2:'), back)
    const ends = nn.bidirectional(
      nn.rnn(3, { returnSequences: false }),
      nn.rnn(3, { returnSequences: false }),
      {
        merge: 'sum',
      },
    )
    const made = ends.init(key, x.shape)
    expect(made.outputShape).toEqual([batch, 3])
    expect(ends.apply(made, x)[0].shape).toEqual([batch, 3])
  })

  test('dropout between the layers, in training alone', () => {
    const stack = nn.rnn(units, { layers: 2, dropout: 0.5 })
    const { params } = stack.init(key, x.shape)
    const [still] = stack.apply({ params, state: none }, x)
    expectClose(still, nn.rnn(units, { layers: 2 }).apply({ params, state: none }, x)[0])
    const train = (seed: number) =>
      stack.apply({ params, state: none }, x, { train: true, key: random.key(seed) })[0]
    expect(tree.allClose(train(1), still)).toBe(false)
    expectClose(train(1), train(1))
    expect(tree.allClose(train(1), train(2))).toBe(false)
    expect(messageOf(() => stack.apply({ params, state: none }, x, { train: true }))).toContain(
      'key',
    )
  })

  test('in the editor, params are known by layer and direction', () => {
    const layer = nn.lstm(units, { layers: 2, bidirectional: true, projection: 2 })
    const { params } = layer.init(key, x.shape)
    expect(params.layer2.backward.projection.shape).toEqual([units, 2])
    expect(params.layer2.forward.kernel.shape).toEqual([4, 4 * units])
    const net = nn.serial(nn.gru(8, { bidirectional: true, merge: 'sum' }), nn.dense(2))
    expect(net.init(key, x.shape).params.gru1.backward.recurrentBias.shape).toEqual([24])
  })
})

describe('states', () => {
  test.each(all.filter(([name]) => name !== 'reversed' && name !== 'both'))(
    '%s: in two parts with the state between = whole',
    (_, layer) => {
      const { params } = layer.init(key, x.shape)
      const run = (input: nn.RecurrentInput<unknown>) =>
        layer.apply({ params, state: none }, input)[0]
      const first = run(x.at(':', ':2'))
      const second = run({ inputs: x.at(':', '2:'), carry: first.carry })
      const whole = run(x)
      expectClose(np.concatenate([first.outputs, second.outputs], { axis: 1 }), whole.outputs)
      expectClose(second.carry, whole.carry)
    },
  )

  test('truncated back-propagation: values of the whole, gradients of the windows', () => {
    const layer = nn.gru(units)
    const { params } = layer.init(key, x.shape)
    type Params = typeof params
    const whole = (p: Params) => layer.apply({ params: p, state: none }, x)[0].square().sum()
    const cut = nn.gru(units, { truncate: 2 })
    const truncated = (p: Params) => cut.apply({ params: p, state: none }, x)[0].square().sum()
    const states = nn.gru(units, { returnCarry: true })
    const windows = (p: Params) => {
      let carry = { h: np.zeros([batch, units]) }
      let sum = tensor(0)
      for (const part of [':2', '2:4', '4:']) {
        const input = { inputs: x.at(':', part), carry: stopGradient(carry) }
        const [y] = states.apply({ params: p, state: none }, input)
        carry = y.carry
        sum = sum.add(y.outputs.square().sum())
      }
      return sum
    }
    expectClose(truncated(params), whole(params), 1e-5)
    expectClose(grad(truncated)(params), grad(windows)(params), 1e-4)
    expect(tree.allClose(grad(truncated)(params), grad(whole)(params))).toBe(false)
    const long = nn.gru(units, { truncate: 9 })
    const all5 = (p: Params) => long.apply({ params: p, state: none }, x)[0].square().sum()
    expectClose(grad(all5)(params), grad(whole)(params), 1e-4)
    const [back, plain] = [3, undefined].map(
      (truncate) =>
        nn
          .gru(units, { reverse: true, ...(truncate === undefined ? {} : { truncate }) })
          .apply({ params, state: none }, { inputs: x, lengths })[0],
    )
    expectClose(back, plain)
  })
})

describe('cells', () => {
  test('a cell is one step of its layer', () => {
    const cell = nn.lstmCell(units)
    const { params, outputShape } = cell.init(key, [batch, features])
    expect(outputShape).toEqual([batch, units])
    let carry = cell.initCarry(params, [batch, features])
    const ys = Array.from({ length: time }, (_, t) => {
      const [[next, y]] = cell.apply({ params, state: none }, { inputs: x.at(':', t), carry })
      carry = next
      return y
    })
    const [y] = nn.lstm(units, { returnCarry: true }).apply({ params, state: none }, x)
    expectClose(y, { outputs: np.stack(ys, 1), carry })
  })

  test('peepholes: gates see the memory, the last one the new memory', () => {
    const cell = nn.lstmCell(units, { peephole: true, projection: 2 })
    const { params } = cell.init(key, [batch, features])
    expectTypeOf(params.peephole).toEqualTypeOf<Tensor>()
    const drawn = (seed: number, width: number): Tensor =>
      random.normal(random.key(seed), [batch, width])
    const carry = { h: drawn(2, 2), c: drawn(3, units) }
    const inputs = x.at(':', 0)
    const [[next, y]] = cell.apply({ params, state: none }, { inputs, carry })
    const z = inputs
      .matmul(params.kernel)
      .add(params.bias)
      .add(carry.h.matmul(params.recurrentKernel))
    const [zi, zf, zg, zo] = np.split(z, 4, 1)
    const [pi, pf, po] = np.split(params.peephole, 3)
    const sigmoid = (v: Tensor): Tensor => v.neg().exp().add(1).reciprocal()
    const kept = sigmoid(zf!.add(pf!.mul(carry.c))).mul(carry.c)
    const memory = kept.add(sigmoid(zi!.add(pi!.mul(carry.c))).mul(zg!.tanh()))
    const hidden = sigmoid(zo!.add(po!.mul(memory))).mul(memory.tanh())
    expectClose(next.c, memory)
    expectClose(y, hidden.matmul(params.projection))
    // Of weights 0 nothing is seen, and the other parameters are those of a plain LSTM.
    const plain = nn.lstm(units)
    const seeing = nn.lstm(units, { peephole: true })
    const { peephole, ...rest } = seeing.init(key, x.shape).params
    expectClose(rest, plain.init(key, x.shape).params)
    const blind = { ...rest, peephole: np.zerosLike(peephole) }
    expectClose(
      seeing.apply({ params: blind, state: none }, x)[0],
      plain.apply({ params: rest, state: none }, x)[0],
    )
    expect(nn.gates(seeing.init(key, x.shape).params).o.kernel.shape).toEqual([features, units])
  })

  test('a convolutional LSTM, channels first and last', () => {
    const frames = random.normal(key, [2, 3, 2, 4, 5])
    const layer = nn.recurrent(nn.convLstmCell(3, [3, 2]), {
      returnCarry: true,
      bidirectional: true,
    })
    const { params, outputShape } = layer.init(key, frames.shape)
    const [y] = layer.apply({ params, state: none }, frames)
    expect(y.outputs.shape).toEqual([2, 3, 6, 4, 5])
    expect(outputShape).toEqual([2, 3, 6, 4, 5])
    const last = nn.recurrent(nn.convLstmCell(3, [3, 2], { layout: 'NHWC' }), { returnCarry: true })
    const [z] = last.apply({ params: params.forward, state: none }, np.moveaxis(frames, 2, -1))
    expectClose(np.moveaxis(z.carry.c, -1, 1), y.carry.forward.c)
  })

  test('gates by name, and back', () => {
    const { params } = nn.lstm(units).init(key, x.shape)
    const { i, f, g, o } = nn.gates(params)
    expectClose(
      np.concatenate([i.kernel, f.kernel, g.kernel, o.kernel], { axis: 1 }),
      params.kernel,
    )
    expect(o.bias.shape).toEqual([units])
    expectClose(nn.joinGates(nn.gates(params)), params)
    const open = nn.joinGates<typeof params>({ i, f: { ...f, bias: np.ones([units]) }, g, o })
    expect(nn.gates(open).f.bias.sum().item()).toBe(units)
    const gru = nn.gru(units).init(key, x.shape).params
    expect(nn.gates(gru).n.recurrentBias.shape).toEqual([units])
    expectClose(nn.joinGates(nn.gates(gru)), gru)
    expect(messageOf(() => nn.gates(nn.rnn(4).init(key, x.shape).params))).toContain('four gates')
  })

  test('outputs fed back: one to many', () => {
    const cell = nn.gruCell(features)
    const { params } = cell.init(key, [1, features])
    const carry = cell.initCarry(params, [1, features])
    const step = (old: typeof carry, input: Tensor) =>
      cell.apply({ params, state: none }, { inputs: input, carry: old })[0]
    const made = jit((first: Tensor) => nn.functional.feedback(step, carry, first, { length: 4 }))
    const { outputs, carry: end } = made(np.ones([1, features]))
    let [old, input] = [carry, np.ones([1, features])]
    for (let t = 0; t < 4; t++) {
      ;[old, input] = step(old, input)
      expectClose(outputs.at(t), input)
    }
    expectClose(end, old)
  })

  test('encoder and decoder', () => {
    const network = nn.encoderDecoder(nn.lstm(units, { returnCarry: true }), nn.lstm(units))
    const { params, outputShape } = network.init(key, x.shape)
    expect(outputShape).toEqual([batch, time, units])
    const source = { inputs: x, lengths }
    const [y] = network.apply(
      { params, state: network.init(key, x.shape).state },
      { source, target: x },
    )
    const [{ carry }] = nn
      .lstm(units, { returnCarry: true })
      .apply({ params: params.encoder, state: none }, source)
    expectClose(
      y,
      nn.lstm(units).apply({ params: params.decoder, state: none }, { inputs: x, carry })[0],
    )
    const wrong = { source: x, target: np.ones([3, 5, 9]) }
    expect(messageOf(() => network.apply({ params, state: {} }, wrong))).toMatch(
      /^decoder: lstm: axis 2 \(features\)/,
    )
    const stateless = nn.encoderDecoder(nn.rnn(4), nn.rnn(4))
    const own = stateless.init(key, x.shape)
    expect(messageOf(() => stateless.apply(own, { source: x, target: x }))).toContain('returnCarry')
  })
})

describe('compiled and differentiated', () => {
  const layer = nn.lstm(4, { layers: 2, bidirectional: true, returnSequences: false })
  const small = x.at(':', ':3')
  const { params } = layer.init(key, small.shape)
  const loss = (p: typeof params, inputs: Tensor, ends: Tensor): Tensor =>
    layer.apply({ params: p, state: none }, { inputs, lengths: ends })[0].square().sum()
  const ends = tensor(Int32Array.of(3, 1, 2))

  test('jit = eager', () => {
    expectClose(jit(grad(loss))(params, small, ends), grad(loss)(params, small, ends), 1e-5)
  })
  test('derivatives agree with differences', () => {
    const f = (inputs: Tensor): Tensor => loss(params, inputs, ends)
    checkGrads(f, [small], { order: 1, modes: ['rev'], tolerance: 2e-2 })
  })
})

test.each(all)('%s: derivatives agree with differences', (_, layer) => {
  const small = x.at(':2', ':2')
  const { params } = layer.init(key, small.shape)
  const loss = (inputs: Tensor): Tensor =>
    layer.apply({ params, state: none }, inputs)[0].outputs.square().sum()
  checkGrads(loss, [small], { order: 1, tolerance: 2e-2 })
})

test('errors name the layer, the axis, what it got and what would fit', () => {
  const layer = nn.lstm(units, { layers: 2 })
  const { params } = layer.init(key, x.shape)
  const apply = (input: nn.RecurrentInput<never>): string =>
    messageOf(() => layer.apply({ params, state: none }, input))
  expect(apply(np.ones([2, 3, 7]))).toMatch(/lstm: axis 2 \(features\)[^]*extent 7[^]*4 features/)
  expect(apply(np.ones([2, 3, 4, 5]))).toMatch(/lstm: [^]*\[batch, time, features\]/)
  expect(apply({ inputs: x, lengths: tensor(Int32Array.of(1, 2)) })).toMatch(
    /lstm: .*length[^]*\[2\][^]*\[3\]/,
  )
  expect(apply({ inputs: x, mask: np.ones([3, 4]) })).toMatch(/lstm: .*mask[^]*\[3,4\][^]*\[3,5\]/)
  const h = np.zeros([3, units])
  const carry = { layer1: { h, c: h }, layer2: { h, c: np.zeros([3, 2]) } }
  const run = (given: typeof carry): string =>
    messageOf(() => layer.apply({ params, state: none }, { inputs: x, carry: given }))
  expect(run(carry)).toMatch(/lstm: the initial state[^]*c: f32\[3,2\][^]*c: f32\[3,6\]/)
  expect(messageOf(() => layer.init(key, [3, 4]))).toContain('[batch, time, features]')
  expect(messageOf(() => nn.lstm(units, { layers: 0 }))).toContain('layers')
})
