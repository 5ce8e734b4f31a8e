/** A kernel: statements of the loop IR over named flat buffers. */
import type { DType, Stmt } from '@cotangent/core'

/** One argument of a kernel, row-major and flat. */
export interface KernelBuffer {
  readonly name: string
  readonly dtype: DType
  /** Elements. */
  readonly size: number
  readonly access: 'read' | 'write' | 'readwrite'
}

/** Memory that a kernel uses while it runs; what it holds before and after means nothing. */
export interface KernelScratch {
  readonly name: string
  readonly dtype: DType
  /** Elements. */
  readonly size: number
}

/** What one generated function does. Its arguments are the buffers, in order. */
export interface Kernel {
  /** Says what it computes: `matmul_f32_512x512x512`. */
  readonly name: string
  readonly buffers: readonly KernelBuffer[]
  readonly scratch?: readonly KernelScratch[]
  readonly body: readonly Stmt[]
}
