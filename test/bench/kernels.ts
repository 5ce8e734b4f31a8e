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
    const names = computed.get(operation) ?? []
    expect(
      names.some((name) => kernels.has(name)),
      `no kernel computes ${operation}`,
    ).toBe(true)
  }
}
