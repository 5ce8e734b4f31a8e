/** What eager operations have been made into, found by primitive, input types and parameters. */
import {
  type AnyPrimitive,
  type Aval,
  type Concrete,
  isComplex,
  sealed,
  typeId,
} from '@cotangent/core'
import type { Executable } from '../executable.ts'
import { type Strides, hashStrides, sameStrides } from './inputs.ts'
import { type Operation, type Strategy, strategyOf } from './operation.ts'
import { copyParams, hashParams, mix, sameParams } from './params.ts'

/** A primitive at one combination of input types, layouts and parameters. */
export interface Entry extends Operation {
  readonly strategy: Strategy
  /** Null until it has been used often enough. */
  executable: Executable | null
  /** How much has been interpreted so far, in rounds. */
  work: number
  wasUsed: boolean
  readonly hash: number
  /** Others of the same hash. */
  next: Entry | null
}

export const hashCall = (
  inputs: readonly Concrete[],
  strides: readonly Strides[] | null,
  params: unknown,
): number => {
  let hash = inputs.length
  for (let i = 0; i < inputs.length; i++) hash = mix(hash, typeId(inputs[i]!.aval))
  if (strides !== null) for (const s of strides) hash = hashStrides(hash, s)
  return params === null ? hash : hashParams(hash, params)
}

const matches = (
  entry: Entry,
  inputs: readonly Concrete[],
  strides: readonly Strides[] | null,
  params: unknown,
): boolean => {
  const { types } = entry
  if (types.length !== inputs.length) return false
  for (let i = 0; i < types.length; i++) if (types[i] !== inputs[i]!.aval) return false
  if (!sameAllStrides(entry.strides, strides)) return false
  return sameParams(entry.params, params)
}

const sameAllStrides = (a: readonly Strides[] | null, b: readonly Strides[] | null): boolean => {
  if (a === null || b === null) return a === b
  for (let i = 0; i < a.length; i++) if (!sameStrides(a[i]!, b[i]!)) return false
  return true
}

// The reference says what is wrong.
const unsupported: Strategy = { isCompiled: false, rounds: 0, backend: undefined }

/** The most entries that are kept. */
const capacity = 2048

export class Table {
  readonly #primitives = new Map<AnyPrimitive, Map<number, Entry>>()
  /** In the order in which they were made, or got a second chance. */
  readonly #all = new Set<Entry>()

  get size(): number {
    return this.#all.size
  }

  find(
    primitive: AnyPrimitive,
    hash: number,
    inputs: readonly Concrete[],
    strides: readonly Strides[] | null,
    params: unknown,
  ): Entry | null {
    let entry = this.#primitives.get(primitive)?.get(hash) ?? null
    while (entry !== null && !matches(entry, inputs, strides, params)) entry = entry.next
    if (entry !== null) entry.wasUsed = true
    return entry
  }

  /** @throws what typing throws; then nothing is added. */
  add(
    primitive: AnyPrimitive,
    hash: number,
    inputs: readonly Concrete[],
    strides: readonly Strides[] | null,
    params: unknown,
  ): Entry {
    const types = inputs.map((x) => x.aval)
    const given: readonly Aval[] = primitive.typing(types, params)
    const outputs = given.map(sealed)
    const operation = { primitive, types, strides, params: copyParams(params), outputs }
    let buckets = this.#primitives.get(primitive)
    if (buckets === undefined) {
      buckets = new Map()
      this.#primitives.set(primitive, buckets)
    }
    const entry: Entry = {
      ...operation,
      strategy: types.some((t) => isComplex(t.dtype)) ? unsupported : strategyOf(operation),
      executable: null,
      work: 0,
      wasUsed: false,
      hash,
      next: buckets.get(hash) ?? null,
    }
    buckets.set(hash, entry)
    this.#all.add(entry)
    if (this.#all.size > capacity) this.#evict()
    return entry
  }

  clear(): void {
    this.#primitives.clear()
    this.#all.clear()
  }

  // What was used since its last turn gets another one.
  #evict(): void {
    for (const entry of this.#all) {
      this.#all.delete(entry)
      if (entry.wasUsed) {
        entry.wasUsed = false
        this.#all.add(entry)
        continue
      }
      this.#unlink(entry)
      return
    }
  }

  #unlink(entry: Entry): void {
    const buckets = this.#primitives.get(entry.primitive)!
    const first = buckets.get(entry.hash)!
    if (first !== entry) {
      let before = first
      while (before.next !== entry) before = before.next!
      before.next = entry.next
    } else if (entry.next !== null) {
      buckets.set(entry.hash, entry.next)
    } else {
      buckets.delete(entry.hash)
      if (buckets.size === 0) this.#primitives.delete(entry.primitive)
    }
  }
}
