/** The pure functions beneath the layers: everything is an argument. */
export * from './bilinear.ts'
export * from './attention/index.ts'
export * from './conv.ts'
export * from './embedding.ts'
export * from './normalization.ts'
export * from './pooling.ts'
export * from './recurrent/index.ts'
export type { Layout, Padding, PaddingSpec, PerAxis } from './window.ts'
