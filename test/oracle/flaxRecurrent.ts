/** Flax's recurrent cells, RNN and Bidirectional, through the layers. */
import { type Tensor, tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import type { GoldenCase, Json } from './cases.ts'
import { type Module, type Value, isModule, parseModule } from './flaxFormula.ts'
import type { Operation, Tensors } from './torch.ts'

const f = nn.functional

/** A cell of ours with the parameters of one of Flax's, and its carry in Flax's order. */
interface FlaxCell {
  readonly cell: nn.AnyCell
  readonly params: unknown
  fromFlax(leaves: readonly Tensor[]): unknown
  // A method, so that cells of any carry are cells.
  toFlax(carry: unknown): readonly Tensor[]
}

const joined = (inputs: Tensors, names: readonly string[]): Tensor =>
  np.concatenate(
    names.map((name) => inputs[name]!),
    { axis: -1 },
  )

const kernels = (inputs: Tensors, prefix: string, order: readonly string[]) => ({
  kernel: joined(inputs, order.map((gate) => `${prefix}i${gate}/kernel`)),
  recurrentKernel: joined(inputs, order.map((gate) => `${prefix}h${gate}/kernel`)),
})

const biases = (inputs: Tensors, prefix: string, order: readonly string[], width: number): Tensor =>
  np.concatenate(order.map((gate) => inputs[`${prefix}${gate}/bias`] ?? np.zeros([width])))

const activations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  tanh: (x) => x.tanh(),
  relu: (x) => nn.relu(x),
  sigmoid: (x) => nn.sigmoid(x),
  gelu: (x) => nn.gelu(x),
  silu: (x) => nn.silu(x),
  elu: (x) => nn.elu(x),
  softplus: (x) => nn.softplus(x),
  hard_sigmoid: (x) => nn.hardSigmoid(x),
  hard_tanh: (x) => nn.hardTanh(x),
  soft_sign: (x) => nn.softSign(x),
  leaky_relu: (x) => nn.leakyRelu(x),
  selu: (x) => nn.selu(x),
  identity: (x) => x,
}

const hidden = {
  fromFlax([h]: readonly Tensor[]) {
    return { h: h! }
  },
  toFlax({ h }: nn.functional.HiddenCarry) {
    return [h]
  },
}
const memory = {
  fromFlax([c, h]: readonly Tensor[]) {
    return { c: c!, h: h! }
  },
  toFlax({ c, h }: nn.functional.LstmCarry) {
    return [c, h]
  },
}

const known = new Set([
  'features',
  'residual',
  'activation_fn',
  'gate_fn',
  'reset_gate',
  'kernel_size',
  // Parameters are given, and everything is float32.
  'kernel_init',
  'recurrent_kernel_init',
  'bias_init',
  'carry_init',
  'dtype',
  'param_dtype',
  'use_bias',
  'rngs',
])

// Flax's window comes first and its gates are i, g, f, o; it adds one to the forget gate.
const convLstm = (
  inputs: Tensors,
  prefix: string,
  features: number,
  kernel: readonly number[],
): FlaxCell => {
  const reorder = (x: Tensor): Tensor => {
    const [i, g, forget, o] = np.split(x, 4, { axis: -1 })
    return np.concatenate([i!, forget!, g!, o!], { axis: -1 })
  }
  const oihw = (x: Tensor): Tensor => np.moveaxis(reorder(x), [-1, -2], [0, 1])
  const bias = (name: string): Tensor => inputs[`${prefix}${name}/bias`] ?? np.zeros([4 * features])
  const one = np.repeat(tensor([0, 1, 0, 0]), features).astype('float32')
  const params = {
    kernel: oihw(inputs[`${prefix}ih/kernel`]!),
    recurrentKernel: oihw(inputs[`${prefix}hh/kernel`]!),
    bias: reorder(bias('ih').add(bias('hh'))).add(one),
  }
  return { cell: nn.convLstmCell(features, kernel, { layout: 'NHWC' }), params, ...memory }
}

const cellOf = (
  { name, args, options }: Module,
  inputs: Tensors,
  prefix: string,
): FlaxCell | null => {
  const units = Number(options['features'] ?? args[0])
  const unknown = Object.keys(options).find((option) => !known.has(option))
  if (unknown !== undefined) return null
  const activation = activations[String(options['activation_fn'] ?? 'tanh')]
  const gateActivation = activations[String(options['gate_fn'] ?? 'sigmoid')]
  if (activation === undefined || gateActivation === undefined) return null
  const functions = { activation, gateActivation }
  switch (name) {
    case 'LSTMCell':
    case 'OptimizedLSTMCell': {
      const bias = biases(inputs, prefix, ['hi', 'hf', 'hg', 'ho'], units)
      const params = { ...kernels(inputs, prefix, ['i', 'f', 'g', 'o']), bias }
      return { cell: nn.lstmCell(units, functions), params, ...memory }
    }
    case 'GRUCell': {
      const params = {
        ...kernels(inputs, prefix, ['r', 'z', 'n']),
        bias: biases(inputs, prefix, ['ir', 'iz', 'in'], units),
        recurrentBias: biases(inputs, prefix, ['hr', 'hz', 'hn'], units),
      }
      return { cell: nn.gruCell(units, functions), params, ...hidden }
    }
    case 'MGUCell': {
      const params = {
        ...kernels(inputs, prefix, ['f', 'n']),
        bias: biases(inputs, prefix, ['if', 'in'], units),
        recurrentBias: biases(inputs, prefix, ['hf', 'hn'], units),
      }
      const resetGate = options['reset_gate'] !== false
      return { cell: nn.mguCell(units, { resetGate, ...functions }), params, ...hidden }
    }
    case 'SimpleCell': {
      const params = {
        kernel: inputs[`${prefix}i/kernel`]!,
        recurrentKernel: inputs[`${prefix}h/kernel`]!,
        bias: biases(inputs, prefix, ['i'], units),
      }
      const residual = options['residual'] === true
      return { cell: nn.rnnCell(units, { residual, activation }), params, ...hidden }
    }
    case 'ConvLSTMCell':
      return convLstm(inputs, prefix, units, numbers(options['kernel_size'] ?? args[1]))
    default:
      return null
  }
}

const numbers = (value: Value | undefined): readonly number[] =>
  value instanceof Array ? value.map(Number) : [Number(value)]

const named = (leaves: readonly Tensor[], path: string): Tensors =>
  Object.fromEntries(
    leaves.map((leaf, i) => [leaves.length === 1 ? path : `${path}/${i}`, leaf]),
  )

const carryLeaves = (inputs: Tensors, name: string): readonly Tensor[] =>
  name in inputs ? [inputs[name]!] : [0, 1].flatMap((i) => inputs[`${name}/${i}`] ?? [])

const oneStep =
  (module: Module): Operation =>
  (inputs) => {
    const made = cellOf(module, inputs, 'params/')
    if (made === null) throw new Error(`${module.name} with options that are not known`)
    const { cell, params } = made
    const carry = made.fromFlax(carryLeaves(inputs, 'carry'))
    const [[next, y]] = cell.apply({ params, state: nn.none }, { inputs: inputs['x']!, carry })
    return { ...named(made.toFlax(next), '0'), 1: y }
  }

interface Run {
  readonly outputs: Tensor
  readonly carry: readonly Tensor[]
}

// Flax computes on past the end of a sequence, and takes the carry from the end.
const overSequence = (
  module: Module,
  inputs: Tensors,
  prefix: string,
  lengths: Tensor | undefined,
  how: { readonly reverse?: boolean; readonly keepOrder?: boolean },
): Run => {
  const [inner] = module.args
  const cellModule = isModule(inner) ? inner : module
  const made = cellOf(cellModule, inputs, `${prefix}cell/`)
  if (made === null) throw new Error(`${cellModule.name} with options that are not known`)
  const reverse = how.reverse ?? module.options['reverse'] === true
  const keepOrder = how.keepOrder ?? module.options['keep_order'] === true
  const timeMajor = module.options['time_major'] === true
  const swapped = timeMajor ? f.swapBatchAndTime(inputs['x']!) : inputs['x']!
  const turn = (x: Tensor): Tensor => f.reverseSequences(x, lengths)
  const x = reverse ? turn(swapped) : swapped
  const layer = nn.recurrent(made.cell, { returnCarry: true })
  const start = carryLeaves(inputs, 'initial_carry')
  const carry = start.length === 0 ? undefined : made.fromFlax(start)
  const variables = { params: made.params, state: nn.none }
  const [whole] = layer.apply(variables, { inputs: x, carry })
  const ended =
    lengths === undefined ? whole : layer.apply(variables, { inputs: x, carry, lengths })[0]
  const ordered = reverse && keepOrder ? turn(whole.outputs) : whole.outputs
  const outputs = timeMajor ? f.swapBatchAndTime(ordered) : ordered
  return { outputs, carry: made.toFlax(ended.carry) }
}

const lengthsOf = (attrs: GoldenCase['attrs'], inputs: Tensors): Tensor | undefined => {
  const given: Json | undefined = attrs['seq_lengths']
  if (given instanceof Array) return tensor(Int32Array.from(given, Number))
  return inputs['seq_lengths']
}

const wantsCarry = (module: Module, attrs: GoldenCase['attrs']): boolean =>
  (attrs['return_carry'] ?? module.options['return_carry']) === true

const rnn =
  (module: Module, attrs: GoldenCase['attrs']): Operation =>
  (inputs) => {
    const { outputs, carry } = overSequence(module, inputs, 'params/', lengthsOf(attrs, inputs), {})
    return wantsCarry(module, attrs) ? { ...named(carry, '0'), 1: outputs } : { y: outputs }
  }

const both =
  (module: Module, attrs: GoldenCase['attrs']): Operation =>
  (inputs) => {
    const lengths = lengthsOf(attrs, inputs)
    const [forward, backward] = module.args.filter(isModule)
    const one = overSequence(forward!, inputs, 'params/forward_rnn/', lengths, {})
    const two = overSequence(backward!, inputs, 'params/backward_rnn/', lengths, {
      reverse: true,
      keepOrder: true,
    })
    const y = np.concatenate([one.outputs, two.outputs], { axis: -1 })
    if (!wantsCarry(module, attrs)) return { y }
    return { ...named(one.carry, '0/0'), ...named(two.carry, '0/1'), 1: y }
  }

/** The operation of a case on recurrent modules; null for another case. */
export const flaxRecurrent = (c: GoldenCase): Operation | null => {
  if (c.formula === undefined || !/^nn\.(RNN|Bidirectional|\w+Cell)\(/.test(c.formula)) return null
  const module = parseModule(c.formula)
  if (module.name === 'RNN') return rnn(module, c.attrs)
  return module.name === 'Bidirectional' ? both(module, c.attrs) : oneStep(module)
}
