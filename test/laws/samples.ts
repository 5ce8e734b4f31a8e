/** Samples of every primitive: one that is forgotten here does not compile. */
import type { Primitives } from '@cotangent/ops'
import type { Sample } from './sample.ts'
import { control } from './samples/control.ts'
import { elementwise } from './samples/elementwise.ts'
import { indexing } from './samples/indexing.ts'
import { products } from './samples/products.ts'
import { reductions } from './samples/reductions.ts'
import { structural } from './samples/structural.ts'
import { transforms } from './samples/transforms.ts'
import { windows } from './samples/windows.ts'

/**
 * What no program of its own can show: `customLinear` stands only in the linear part of a
 * `customVjp`, whose samples reach it; collectives are gone once the `vmap` of their axis is
 * applied, and `host` has no result.
 */
export const unsampled = ['customLinear', 'psum', 'allGather', 'host'] as const

export type Sampled = Exclude<keyof Primitives, (typeof unsampled)[number]>

export const samples = {
  ...elementwise,
  ...structural,
  ...reductions,
  ...products,
  ...windows,
  ...indexing,
  ...transforms,
  ...control,
} satisfies { readonly [name in Sampled]: readonly Sample[] }
