/** Kernels in the making: which equations one computes, along which loops, and why others are not in it. */
import type { Atom, Equation, Index, Shape, Var } from '@cotangent/core'

/** An equation that a kernel computes into memory. */
export interface Root {
  readonly equation: Equation
  readonly shape: Shape
  /** The outputs that have memory. */
  readonly outputs: readonly Var[]
  /** Extents of the reduced axes, or null for an element-wise root. */
  readonly extents: Shape | null
  /** Operations for one element or step, with those of everything inlined into it. */
  readonly work: number
  /** Whether vectors can compute it, with everything inlined into it. */
  readonly laneable: boolean
  /** Which of its axes the outer loops of its kernel run along. */
  axes: readonly number[]
}

/** Equations computed by one kernel: loops over `outer`, and whatever each root needs inside. */
export interface Cluster {
  readonly tag: 'cluster'
  outer: Shape
  readonly roots: Root[]
  /** Register-tiled over its outputs; later roots only join point by point. */
  readonly tiled: boolean
  work: number
  readonly reads: Set<Atom>
  /** Reductions over its outer loops that are taken a few rounds at a time, a tiled cluster. */
  readonly sums: Cluster | null
  /** Takes the moments of the slabs of what a tiled cluster makes. */
  moments: Equation | null
}

/** An equation that is a step of its own: a routine, control flow, a host call. */
export interface Single {
  readonly tag: 'single'
  readonly equation: Equation
}

export type Unit = Cluster | Single

/** Why a root did not join a kernel. */
export type Apart =
  /** The other is a routine, control flow or a host call. */
  | 'no kernel'
  | 'work limit'
  | 'read limit'
  /** A tiled reduction reads its operands again and again: they must be finished. */
  | 'tile reads memory'
  /** Only point-wise work on the same elements follows in a tile. */
  | 'in a tile'
  /** A tile's vectors cannot compute it: one such epilogue would make single numbers of all lanes. */
  | 'no lanes'
  /** It reads rows of the other beside its own. */
  | 'other rows'
  /** The two have too few loops in common. */
  | 'other loops'
  /** The two read nothing in common. */
  | 'nothing shared'

/** Where a root was put, and which kernels it could not join, the latest first. */
export interface Placement {
  readonly root: Root
  readonly unit: number
  readonly isFirst: boolean
  /** The latest unit that it reads from, or −1. */
  readonly after: number
  readonly apart: readonly { readonly unit: number; readonly why: Apart }[]
}

/** An element of memory that computing one element of a root reads. */
export interface Read {
  readonly atom: Atom
  readonly index: readonly Index[]
}
