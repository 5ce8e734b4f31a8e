import { type UnaryOp, maths, scalars } from '@cotangent/core'
import { compileKernel } from '@cotangent/jit'
import { describe, expect, test } from 'vitest'

const { load, unaryOp } = scalars

const pattern = new Uint32Array(1)
const asFloat = new Float32Array(pattern.buffer)

/** float32 values of every exponent, both signs, and a dense set around zero. */
const samples = (): Float32Array => {
  const values: number[] = [0, -0, NaN, Infinity, -Infinity, 88.72283, 88.72284, -87.34, -103.98]
  for (let code = 0; code < 2 ** 32; code += 40_009) {
    pattern[0] = code
    values.push(asFloat[0]!)
  }
  for (let i = -50_000; i < 50_000; i++) values.push(i / 2500)
  return Float32Array.from(values)
}

describe('float32 functions of generated code', () => {
  for (const op of ['exp', 'logistic', 'tanh'] satisfies readonly UnaryOp[]) {
    test(`${op} rounds as the general function does`, () => {
      const x = samples()
      const at = scalars.counter('i', x.length)
      const value = unaryOp(op, load('x', 'float32', at))
      const { run, source } = compileKernel({
        name: `${op}_float32`,
        buffers: [
          { name: 'x', dtype: 'float32', size: x.length, access: 'read' },
          { name: 'out', dtype: 'float32', size: x.length, access: 'write' },
        ],
        body: [
          {
            tag: 'for',
            counter: 'i',
            extent: x.length,
            body: [{ tag: 'store', buffer: 'out', at, value }],
          },
        ],
      })
      expect(source).toContain(`$${op}32(x[i])`)
      const out = new Float32Array(x.length)
      run(x, out)
      const general = maths.unaryFunction(op, 'float32')
      let differ = 0
      for (const [i, got] of out.entries()) {
        const want = Math.fround(general(x[i]!))
        if (Object.is(got, want)) continue
        differ++
        // One unit in the last place, and never where the result is special.
        expect(Math.abs(got - want), `${op}(${x[i]})`).toBeLessThanOrEqual(Math.abs(want) * 1.2e-7)
      }
      expect(differ / x.length).toBeLessThan(2e-5)
    })
  }
})
