/** A kernel's statements as phases: what each of them needs from before it. */
import { type Scalar, type Stmt, scalars } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { phasesOf } from '../../../packages/jit/src/wasm/print/phases.ts'

const { constant, counter, load, local } = scalars

const parallel = (to: string, value: Scalar): Stmt => ({
  tag: 'for',
  counter: `i_${to}`,
  extent: 8,
  parallel: true,
  body: [{ tag: 'store', buffer: to, at: counter(`i_${to}`, 8), value }],
})
const named = (name: string): Stmt => ({
  tag: 'let',
  name,
  value: load(`in_${name}`, 'float32', constant(0)),
})
const read = (name: string): Scalar => local('float32', name)

describe('values between phases', () => {
  test('belong to the later phases that read them, and to no earlier one', () => {
    const phases = phasesOf([
      parallel('a', load('in_a', 'float32', constant(0))),
      named('x'),
      parallel('b', read('x')),
      named('y'),
      parallel('c', read('y')),
      parallel('d', scalars.binaryOp('add', read('x'), read('y'))),
    ])
    expect(
      phases.map(({ prelude }) => prelude.flatMap((s) => (s.tag === 'let' ? s.name : ''))),
    ).toEqual([[], ['x'], ['y'], ['x', 'y']])
    expect(phases.map(({ buffers }) => [...buffers].sort())).toEqual([
      ['a', 'in_a'],
      ['b', 'in_x'],
      ['c', 'in_y'],
      ['d', 'in_x', 'in_y'],
    ])
  })
  test('are not read again after a phase has overwritten them: then there is one phase', () => {
    const [first, second] = [parallel('in_x', read('x')), parallel('b', read('x'))]
    expect(phasesOf([named('x'), first, second])).toHaveLength(1)
  })
})
