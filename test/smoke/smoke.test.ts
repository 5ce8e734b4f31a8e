import { setThreads } from 'cotangent'
import { afterAll, expect, test } from 'vitest'
import { differences } from './compare.ts'
import { threadedModes } from './modes.ts'
import { type Report, runSmoke } from './run.ts'

afterAll(() => setThreads(1))

const report: Report = runSmoke(threadedModes)
const { interpreter } = report

// Sums of different orders; the recurrence passes them on forty times.
const rounding = 2e-4

test.each(['js', 'wasm'])('%s computes what the interpreter does', (mode) => {
  expect(differences(report[mode], interpreter, rounding)).toEqual([])
})

test('known values are among them', () => {
  const elementsOf = (program: string, result: number): readonly number[] =>
    interpreter![program]![result]!.elements.map(Number)
  // Three times the digits of pi, modulo 7.
  expect(elementsOf('integersAndHalves', 0)).toEqual([2, 3, 5, 3, 1, 6, 6, 4])
  // (37 · 30) mod 101 is 100.
  expect(elementsOf('integersAndHalves', 2)).toEqual([30])
  expect(elementsOf('randomNumbers', 3).toSorted((a, b) => a - b)).toEqual([...Array(50).keys()])
  // x → x / 2 + 1 ends at 2.
  expect(new Set(elementsOf('eviction', 47))).toEqual(new Set([2 * 4096]))
  // Ten classes, of which nothing has been learnt.
  expect(elementsOf('lenet', 0)[0]).toBeCloseTo(Math.log(10), 1)
})

test('threads change nothing', () => {
  expect(differences(report['wasm, 2 threads'], report['wasm'])).toEqual([])
})

test('differences are found', () => {
  const swapped = { ...interpreter, matmul: interpreter!['elementwise']!, pooling: [] }
  expect(differences(swapped, interpreter)).toEqual([
    'matmul, result 0: float32[61,67] instead of float32[224]',
    'pooling: 0 tensors',
  ])
  const [shown] = differences(
    { a: [{ type: 'f', elements: ['0', '1'] }] },
    {
      a: [{ type: 'f', elements: ['-0', '1'] }],
    },
  )
  expect(shown).toBe('a, result 0: 1 of 2 elements, 0 instead of -0 at 0')
})
