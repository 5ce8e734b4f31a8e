/** Samples of every primitive: one that is forgotten here does not compile. */
import type { prims } from '@cotangent/ops'
import type { Sample } from './sample.ts'
import { elementwise } from './samples/elementwise.ts'
import { indexing } from './samples/indexing.ts'
import { products } from './samples/products.ts'
import { reductions } from './samples/reductions.ts'
import { structural } from './samples/structural.ts'
import { transforms } from './samples/transforms.ts'
import { windows } from './samples/windows.ts'

/** `customLinear` stands only in the linear part of a `customVjp`, whose samples reach it. */
export type Sampled = Exclude<keyof prims.Primitives, 'customLinear'>

export const samples = {
  ...elementwise,
  ...structural,
  ...reductions,
  ...products,
  ...windows,
  ...indexing,
  ...transforms,
} satisfies { readonly [name in Sampled]: readonly Sample[] }
