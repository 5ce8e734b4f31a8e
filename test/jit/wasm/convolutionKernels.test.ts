/** What follows a convolution is done where its elements are made; depthwise ones are sums of neighbours. */
import { type Tensor, interpret, vjp } from '@cotangent/core'
import { type Lowered, jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from '../support.ts'

const { conv } = nn.functional
const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.key(seed), shape)

const namesOf = ({ kernels }: Lowered): readonly string[] =>
  kernels.map((k) => k.name).filter((n) => !n.startsWith('pack_') && !n.startsWith('pad_'))

const block = (x: Tensor, kernel: Tensor, bias: Tensor, shortcut: Tensor): Tensor =>
  nn.relu(
    conv(x, kernel, { padding: 1 })
      .add(bias.reshape([-1, 1, 1]))
      .add(shortcut),
  )

describe('bias, shortcut and activation belong to the kernel of the convolution', () => {
  const layers = [
    { how: 'minimal filtering', x: [2, 16, 20, 20], outputs: 16 },
    {
      how: 'minimal filtering, rows that end in part of a vector',
      x: [3, 32, 10, 10],
      outputs: 32,
    },
    { how: 'minimal filtering, vectors that are computed twice', x: [9, 64, 6, 6], outputs: 64 },
    { how: 'direct', x: [2, 3, 12, 12], outputs: 8 },
  ] as const
  for (const { how, x: shape, outputs } of layers) {
    test(how, () => {
      const [batch, channels, height, width] = shape
      const args = [
        normal(1, shape),
        normal(2, [outputs, channels, 3, 3]),
        normal(3, [outputs]),
        normal(4, [batch, outputs, height, width]),
      ] as const
      const lowered = jit(block).lower(...args)
      expect(namesOf(lowered)).toEqual([`conv_select_f32_${batch}x${outputs}x${height}x${width}`])
      const isMinimal = lowered.source.includes('xvector0')
      expect(isMinimal).toBe(how !== 'direct')
      const expected = interpret(block)(...args)
      expectClose(jit(block)(...args), expected, 1e-4)
      // The shortcut's memory may not become the result's: some elements are made twice.
      const again = jit(block, { donate: [3] })
      expectClose(again(args[0], args[1], args[2], normal(4, args[3].shape)), expected, 1e-4)
    })
  }

  test('a convolution that others read, too, is stored beside what follows', () => {
    const both = (x: Tensor, kernel: Tensor): readonly [Tensor, Tensor] => {
      const y = conv(x, kernel, { padding: 1 })
      return [y, nn.relu(y)]
    }
    const args = [normal(1, [2, 16, 8, 8]), normal(2, [16, 16, 3, 3])] as const
    expect(namesOf(jit(both).lower(...args)).length).toBe(1)
    const [y, rectified] = jit(both)(...args)
    const [y0, rectified0] = interpret(both)(...args)
    expectClose(y, y0, 1e-4)
    expectClose(rectified, rectified0, 1e-4)
  })
})

describe('strides that skip what no window reads', () => {
  const layers = [
    { x: [3, 20, 9, 12], w: [24, 20, 1, 1], strides: [2, 3], copied: true },
    { x: [2, 16, 8, 7], w: [32, 16, 1, 3], strides: [2, 1], copied: false },
    { x: [4, 17, 13], w: [18, 17, 1], strides: [3], copied: true },
  ] as const
  for (const { x, w, strides, copied } of layers) {
    const how = copied ? 'what is read is copied once' : 'rows that are read lie side by side'
    test(`${x.join('×')} by ${w.join('×')}: ${how}`, () => {
      const strided = (a: Tensor, b: Tensor): Tensor => conv(a, b, { stride: strides, padding: 0 })
      const everything = (a: Tensor, b: Tensor): readonly Tensor[] => {
        const [y, pull] = vjp(strided, a, b)
        return [y, ...pull(y)]
      }
      const args = [normal(1, x), normal(2, w)] as const
      const names = namesOf(jit(strided).lower(...args))
      expect(names.some((n) => n.startsWith('slice_'))).toBe(copied)
      const [found, expected] = [jit(everything)(...args), interpret(everything)(...args)]
      found.forEach((y, i) => expectClose(y, expected[i]!, 1e-3))
    })
  }

  test('few readers read it where it is', () => {
    const strided = (a: Tensor, b: Tensor): Tensor => conv(a, b, { stride: 2, padding: 0 })
    const names = namesOf(jit(strided).lower(normal(1, [2, 16, 8, 8]), normal(2, [2, 16, 1, 1])))
    expect(names.some((n) => n.startsWith('slice_'))).toBe(false)
  })
})

describe('windows that hang over the border', () => {
  const layers = [
    {
      name: 'all around',
      x: [16, 5, 6, 7],
      outputs: 6,
      kernel: [5, 4],
      padding: [
        [4, 4],
        [3, 3],
      ],
    },
    {
      name: 'more on one side',
      x: [8, 3, 5, 4],
      outputs: 4,
      kernel: [3, 3],
      padding: [
        [2, 0],
        [0, 2],
      ],
    },
    {
      name: 'wider than the input',
      x: [8, 2, 2, 3],
      outputs: 2,
      kernel: [3, 5],
      padding: [
        [2, 2],
        [4, 4],
      ],
    },
  ] as const
  for (const {
    name,
    x: shape,
    outputs,
    kernel: [height, width],
    padding,
  } of layers) {
    test(`${name}: only taps inside are multiplied, images are side by side`, () => {
      const layer = (x: Tensor, kernel: Tensor, bias: Tensor): Tensor =>
        nn.relu(conv(x, kernel, { padding }).add(bias.reshape([-1, 1, 1])))
      const [, channels] = shape
      const args = [
        normal(1, shape),
        normal(2, [outputs, channels, height, width]),
        normal(3, [outputs]),
      ] as const
      const lowered = jit(layer).lower(...args)
      expect(lowered.kernels.map((k) => k.name).some((n) => n.startsWith('pad_'))).toBe(false)
      expect(namesOf(lowered).length).toBe(1)
      expect(lowered.source).toContain('in 4 lanes')
      expectClose(jit(layer)(...args), interpret(layer)(...args), 1e-5)
    })
  }

  test('the gradient of a convolution without padding', () => {
    const args = [normal(1, [64, 6, 14, 14]), normal(2, [16, 6, 5, 5])] as const
    const gradient = (x: Tensor, kernel: Tensor, cotangent: Tensor): Tensor =>
      vjp((y: Tensor) => conv(y, kernel), x)[1](cotangent)[0]
    const cotangent = normal(3, [64, 16, 10, 10])
    const { source } = jit(gradient).lower(...args, cotangent)
    expect(source.match(/for kc < 80/g)?.length).toBe(1)
    const expected = interpret(gradient)(...args, cotangent)
    expectClose(jit(gradient)(...args, cotangent), expected, 1e-4)
  })
})

describe('the gradient of a 3×3 kernel by minimal filtering', () => {
  const gradient =
    (padding: number) =>
    (x: Tensor, kernel: Tensor, cotangent: Tensor): Tensor =>
      vjp((k: Tensor) => conv(x, k, { padding }), kernel)[1](cotangent)[0]
  const layers = [
    { x: [8, 16, 16, 16], outputs: 16, padding: 1, isMinimal: true },
    { x: [10, 20, 18, 26], outputs: 24, padding: 0, isMinimal: true },
    { x: [4, 16, 16, 15], outputs: 16, padding: 1, isMinimal: false },
    { x: [1, 16, 8, 8], outputs: 16, padding: 1, isMinimal: false },
  ] as const
  for (const { x: shape, outputs, padding, isMinimal } of layers) {
    test(`${shape.join('×')} to ${outputs}: ${isMinimal ? 'tiles' : 'direct'}`, () => {
      const [batch, channels, height, width] = shape
      const less = 2 - 2 * padding
      const args = [
        normal(1, shape),
        normal(2, [outputs, channels, 3, 3]),
        normal(3, [batch, outputs, height - less, width - less]),
      ] as const
      const compiled = jit(gradient(padding))
      expect(compiled.lower(...args).source.includes('vector')).toBe(isMinimal)
      expectClose(compiled(...args), interpret(gradient(padding))(...args), 1e-4)
    })
  }
})

describe('depthwise convolutions', () => {
  for (const stride of [1, 2]) {
    const depthwise = (x: Tensor, kernel: Tensor): Tensor =>
      conv(x, kernel, { padding: 1, groups: 12, stride })
    const args = [normal(1, [3, 12, 15, 15]), normal(2, [12, 1, 3, 3])] as const
    const kernelGradient = (x: Tensor, kernel: Tensor, cotangent: Tensor): Tensor =>
      vjp((k: Tensor) => depthwise(x, k), kernel)[1](cotangent)[0]
    test(`stride ${stride}: taps are written out, their factors wait in registers`, () => {
      const { source } = jit(depthwise).lower(...args)
      const [, kernel] = source.split('kernel conv_')
      expect(kernel).toMatch(/let h8 = [\s\S]*in 4 lanes/)
      expect(kernel).not.toContain('var ')
      expectClose(jit(depthwise)(...args), interpret(depthwise)(...args), 1e-5)
    })
    test(`stride ${stride}: the input is laid out for the kernel's gradient in vectors`, () => {
      const cotangent = normal(3, depthwise(...args).shape)
      const { source } = jit(kernelGradient).lower(...args, cotangent)
      const [, padding] = source.split('kernel pad_')
      expect(padding!.split('kernel ')[0]).not.toMatch(/in\d+\[[^\]]*i3\) \/ /)
      const expected = interpret(kernelGradient)(...args, cotangent)
      expectClose(jit(kernelGradient)(...args, cotangent), expected, 1e-4)
    })
  }
})
