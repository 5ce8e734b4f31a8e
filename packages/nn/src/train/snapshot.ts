/** What `fit` yields: figures of the step, and the state after it. */
import { UnsupportedError, flatten, fromNDArray, leafTensor, unflatten } from '@cotangent/core'
import type { TrainState } from './step.ts'

/** Over the batches of an epoch so far: the loss weighted by examples, metrics of all of them together. */
export interface Running {
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

export interface Figures {
  /** Steps done, this one included, over all epochs. */
  readonly step: number
  /** The epoch of this step, counted from 1. */
  readonly epoch: number
  /** Steps done in this epoch, this one included. */
  readonly batch: number
  /** The last step of its epoch. */
  readonly isEndOfEpoch: boolean
  /** Of this batch, before the step's update. */
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  readonly running: Running
  /** In this batch. */
  readonly examples: number
  /** For this step; the first one includes compiling. */
  readonly seconds: number
  readonly examplesPerSecond: number
}

/**
 * A moment of training; frozen.
 *
 * The step donates its state: the next one overwrites it. So `params`, `state` and `optimizerState`
 * are copied when one of them is first read, and stay valid for ever after. They must first be read
 * before the next snapshot is asked for; at the end of an epoch they are copied in any case, and the
 * last snapshot of all keeps its own. (With `donate: false` nothing is copied.)
 */
export interface Snapshot<P, S, O> extends Figures {
  readonly params: P
  readonly state: S
  readonly optimizerState: O
}

/** A copy of every leaf, in memory of its own. */
export const copyTree = <T>(tree: T): T => {
  const { leaves, structure } = flatten(tree, 'train.fit')
  const copies = leaves.map((leaf) => {
    const x = leafTensor(leaf)
    const array = x.concrete('train.fit').ndarray()
    return fromNDArray({ ...array, data: array.data.slice() }, x.aval.weak)
  })
  return unflatten<T>(structure, copies)
}

/** The state of a step, which its successor overwrites. */
export class Held<P, S, O> {
  #current: TrainState<P, S, O> | null
  #isOwn: boolean
  readonly #step: number

  constructor(current: TrainState<P, S, O>, step: number, donates: boolean) {
    this.#current = current
    this.#isOwn = !donates
    this.#step = step
  }

  /** @throws UnsupportedError where the next step has overwritten it. */
  read(): TrainState<P, S, O> {
    if (this.#current === null) {
      throw new UnsupportedError({
        operation: 'train.fit',
        problem: `the state after step ${this.#step} was overwritten by the next step`,
        fix: 'read snapshot.params before asking for the next snapshot, keep the snapshots at the end of epochs, or pass donate: false',
      })
    }
    if (!this.#isOwn) {
      this.#current = copyTree(this.#current)
      this.#isOwn = true
    }
    return this.#current
  }

  /** The memory is about to be given away. */
  release(): void {
    if (!this.#isOwn) this.#current = null
  }
}

export const makeSnapshot = <P, S, O>(figures: Figures, held: Held<P, S, O>): Snapshot<P, S, O> =>
  Object.freeze({
    ...figures,
    get params(): P {
      return held.read().params
    },
    get state(): S {
      return held.read().state
    },
    get optimizerState(): O {
      return held.read().optimizerState
    },
  })
