/** Surgery on parameter trees: what is edited changes, what is not stays the same object. */
import { main } from '@cotangent/examples/editingTrees'
import { tree } from 'cotangent'
import { expect, test } from 'vitest'

const lines: string[] = []
const result = main({ print: (line: string) => lines.push(line) })
const { pretrained, swapped, adapted, tuned, pruned, fresh, loaded, accuracy, ternary } = result

test('a new head leaves the backbone the same object', () => {
  expect(swapped.backbone).toBe(pretrained.backbone)
  expect(pretrained.head.kernel.shape).toEqual([64, 2])
  expect(swapped.head.kernel.shape).toEqual([64, 3])
  expect(Object.isFrozen(swapped)).toBe(true)
})

test('training beside a frozen backbone changes the head alone', () => {
  for (const name of ['dense1', 'dense2'] as const) {
    expect(adapted.backbone[name].kernel).toBe(pretrained.backbone[name].kernel)
    expect(adapted.backbone[name].bias).toBe(pretrained.backbone[name].bias)
  }
  expect(tree.equals(adapted.head, swapped.head)).toBe(false)
  expect(accuracy(adapted, ternary)).toBeGreaterThan(0.85)
})

test('training all of it does better', () => {
  expect(accuracy(tuned, ternary)).toBeGreaterThan(0.98)
  expect(tree.equals(tuned.backbone, adapted.backbone)).toBe(false)
})

test('half of the pruned kernel is zero, and nothing else is touched', () => {
  expect(pruned.backbone.dense2.kernel.equal(0).mean().item()).toBeCloseTo(0.5, 2)
  expect(pruned.backbone.dense2.bias).toBe(tuned.backbone.dense2.bias)
  expect(pruned.backbone.dense1).toBe(tuned.backbone.dense1)
  expect(pruned.head).toBe(tuned.head)
  expect(accuracy(pruned, ternary)).toBeGreaterThan(0.9)
})

test('a shared layer has its parameters once', () => {
  expect(tree.size(result.sharing)).toBe(2 * 64 + 64 + (64 * 64 + 64) + (64 * 3 + 3))
})

test('a part of a checkpoint is taken as it is', () => {
  expect(loaded.backbone.dense1).toBe(tuned.backbone.dense1)
  expect(loaded.backbone.dense2).toBe(fresh.backbone.dense2)
  expect(loaded.head).toBe(fresh.head)
  expect(lines.at(-1)).toBe('one of three layers loaded, head the same object: true')
})
