/** Rounds of loops. */
import type { Stmt } from '@cotangent/core'

export type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Whether a loop has one round, in which its counter stands still. */
export const isOnce = (loop: Loop): boolean => loop.extent <= (loop.lanes ?? loop.step ?? 1)

/** The counter's value in the first round. */
export const firstOf = (loop: Loop): number => {
  const step = loop.step ?? 1
  return loop.reverse === true ? Math.floor((loop.extent - 1) / step) * step : 0
}
