/** The passes over loop IR, in order. Each is a function from statements to statements. */
import type { Stmt } from '@cotangent/core'
import { share } from './share.ts'

export interface LoopPass {
  readonly name: string
  readonly run: (body: readonly Stmt[]) => readonly Stmt[]
}

export const loopPasses: readonly LoopPass[] = [{ name: 'share', run: share }]

/** Runs every pass over the body of a kernel. */
export const runLoopPasses = (body: readonly Stmt[]): readonly Stmt[] =>
  loopPasses.reduce((statements, pass) => pass.run(statements), body)
