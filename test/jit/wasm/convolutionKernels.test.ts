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
