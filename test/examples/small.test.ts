/** The examples that take no time, as they are. */
import { main as hessianVectorProduct } from '@cotangent/examples/hessianVectorProduct'
import { main as linearRegression } from '@cotangent/examples/linearRegression'
import { main as perExampleGradients } from '@cotangent/examples/perExampleGradients'
import { tree } from 'cotangent'
import { describe, expect, test } from 'vitest'

const silent = (): void => {}

describe('linearRegression', () => {
  const { params, truth, losses } = linearRegression({ print: silent })

  test('the loss falls to the variance of the noise, 0.01', () => {
    expect(losses[0]).toBeGreaterThan(20)
    expect(losses.at(-1)).toBeLessThan(0.012)
    expect(losses.every((loss, i) => i === 0 || loss <= losses[i - 1]! + 1e-6)).toBe(true)
  })

  test('the parameters are those that made the data, up to the noise', () => {
    expect(tree.allClose(params, truth, { rtol: 0, atol: 0.02 })).toBe(true)
  })
})

describe('perExampleGradients', () => {
  const lines: string[] = []
  const result = perExampleGradients({ print: (line: string) => lines.push(line) })

  test('there is one gradient an example, and their mean is the gradient of the batch', () => {
    expect(result.gradients.dense1.kernel.shape).toEqual([32, 2, 16])
    expect(result.norms.shape).toEqual([32])
    expect(result.isMean).toBe(true)
    expect(lines.at(-1)).toBe('their mean is the gradient of the batch: true')
  })

  test('the mislabelled examples have the largest', () => {
    expect(result.largest.sort().toArray()).toEqual([0, 1])
  })
})

describe('hessianVectorProduct', () => {
  const { norms, descent, error } = hessianVectorProduct({ steps: 8, print: silent })

  test('the product equals that with the full Hessian', () => {
    expect(error).toBeLessThan(1e-6)
  })

  test('Newton converges faster than a geometric sequence; gradient descent lags behind', () => {
    expect(norms.at(-1)).toBeLessThan(1e-5)
    const ratios = norms.slice(1).map((norm, i) => norm / norms[i]!)
    expect(ratios.at(-1)).toBeLessThan(0.05)
    expect(ratios[0]).toBeGreaterThan(0.2)
    expect(descent).toBeGreaterThan(1e-3)
  })
})
