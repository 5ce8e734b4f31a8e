/**
 * Running an executable of JavaScript while watching every element that its kernels touch: nothing outside an
 * array, no access but the declared one, and memory shared by an input and an output only where
 * each element is read for the last time before it is written.
 */
import type { TypedArray } from '@cotangent/core'
import { type Executable, type Kernel, compileKernel } from '@cotangent/jit'
import { kernelsOf } from './steps.ts'

interface Event {
  readonly buffer: number
  readonly at: number
  readonly store: boolean
}

const recorded = (target: TypedArray, buffer: number, events: Event[]): TypedArray => {
  const note = (key: string | symbol, store: boolean): void => {
    if (typeof key !== 'string' || !/^-?[\d.]|^NaN$/.test(key)) return
    const at = Number(key)
    if (!Number.isInteger(at) || at < 0 || at >= target.length)
      throw new RangeError(`element ${key} of ${target.length} is ${store ? 'written' : 'read'}`)
    events.push({ buffer, at, store })
  }
  return new Proxy(target, {
    get: (_, key) => {
      note(key, false)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (_, key, value) => {
      note(key, true)
      return Reflect.set(target, key, value, target)
    },
  })
}

const overlap = (a: TypedArray, b: TypedArray): boolean =>
  a.buffer === b.buffer &&
  a.byteOffset < b.byteOffset + b.byteLength &&
  b.byteOffset < a.byteOffset + a.byteLength

const checkShared = (input: number, output: number, events: readonly Event[]): void => {
  const written = new Set<number>()
  for (const { buffer, at, store } of events) {
    if (buffer === output && store) written.add(at)
    if (buffer === input && !store && written.has(at))
      throw new Error(`element ${at} is read after it was overwritten in place`)
  }
}

const checkCall = (
  kernel: Kernel,
  buffers: readonly TypedArray[],
  events: readonly Event[],
): void => {
  for (const { buffer, store } of events) {
    const { access, name } = kernel.buffers[buffer]!
    if (access === (store ? 'read' : 'write'))
      throw new Error(`${name} is declared ${access} and is ${store ? 'written' : 'read'}`)
  }
  buffers.forEach((a, i) => {
    buffers.forEach((b, j) => {
      if (i === j || !overlap(a, b) || kernel.buffers[j]!.access === 'read') return
      if (kernel.buffers[i]!.access !== 'read') throw new Error('two results share memory')
      if (a.byteOffset !== b.byteOffset || a.byteLength !== b.byteLength || a.length !== b.length)
        throw new Error('an input and a result overlap in part')
      checkShared(i, j, events)
    })
  })
}

/** Runs an executable of JavaScript with every kernel watched. */
export const runWatched = (
  { code, program }: Executable,
  inputs: readonly TypedArray[],
): readonly TypedArray[] => {
  if (code.tag !== 'js') throw new Error('only functions of typed arrays can be watched')
  const { driver } = code
  const kernels = kernelsOf(program).map((k) => [compileKernel(k).source, k] as const)
  const watched = driver.kernels.map(
    ({ name, source, run }) =>
      (...buffers: readonly TypedArray[]) => {
        // One function serves all kernels of one source; their arrays may differ in size.
        const kernel = kernels.find(
          ([text, k]) =>
            text === source && k.buffers.every((b, i) => b.size === buffers[i]!.length),
        )?.[1]
        if (kernel === undefined)
          throw new Error(`${name} gets arrays of sizes it does not declare`)
        const events: Event[] = []
        try {
          run(...buffers.map((b, i) => recorded(b, i, events)))
          checkCall(kernel, buffers, events)
        } catch (error) {
          throw new Error(`kernel ${name}\n${source}`, { cause: error })
        }
      },
  )
  return driver.link(watched)(inputs)
}
