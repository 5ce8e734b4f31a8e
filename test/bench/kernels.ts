/** What compiled kernels are seen to compute. */
import type { Lowered } from '@cotangent/jit'
import { expect } from 'vitest'

interface Seen {
  /** Names of generated functions. */
  readonly kernels: ReadonlySet<string>
  /** Primitives, by the kernels that compute them. */
  readonly computed: ReadonlyMap<string, readonly string[]>
}

const seenIn = (lowered: Lowered): Seen => {
  const computed = new Map<string, string[]>()
  for (const line of lowered.clusters.split('\n')) {
    const [kernel, operations] = line.trim().split(': ')
    for (const operation of operations?.split(', ') ?? []) {
      computed.set(operation, [...(computed.get(operation) ?? []), kernel!])
    }
  }
  return { kernels: new Set(lowered.kernels.map(({ name }) => name)), computed }
}

/** Nothing falls back to a function of the host, and a kernel computes each of these primitives. */
export const expectKernels = (lowered: Lowered, operations: readonly string[]): void => {
  const { kernels, computed } = seenIn(lowered)
  expect(kernels.size).toBeGreaterThan(0)
  expect(lowered.clusters).not.toContain('host call')
  for (const operation of operations) {
    const names = operation.split(' or ').flatMap((name) => computed.get(name) ?? [])
    expect(
      names.some((name) => kernels.has(name)),
      `no kernel computes ${operation}`,
    ).toBe(true)
  }
}

/** Elements of a kernel's first output, as its name says them. */
const sizeOf = (name: string): number =>
  (/_([\dx]+)$/.exec(name)?.[1] ?? '1').split('x').reduce((size, n) => size * Number(n), 1)

/** Vectors of partial results in the text of a kernel; each is declared once. */
const accumulatorsIn = (source: string): number =>
  new Set([...source.matchAll(/var (\w+) in [24] lanes/g)].map((match) => match[1])).size

/** Where one thread with one lane is fast enough. */
const smallSize = 1000

/**
 * Products, convolutions and reductions run in lanes, their tiles are held in registers, and what
 * makes more than a few numbers is shared between threads.
 */
export const expectVectors = ({ kernels }: Lowered, tile: number): void => {
  for (const { name, source } of kernels) {
    const isTiled = /^(dotGeneral|conv_)/.test(name)
    if (!isTiled && !name.startsWith('reduce')) continue
    if (sizeOf(name) < smallSize) continue
    expect(source, name).toMatch(/in [24] lanes/)
    expect(source, name).toMatch(/^ {2}for .* in parallel/m)
    if (isTiled) expect(accumulatorsIn(source), name).toBeGreaterThanOrEqual(tile)
  }
}
