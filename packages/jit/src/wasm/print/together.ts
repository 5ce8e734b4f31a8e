/** Kernels at once: a phase that hands its rounds on to theirs. */
import { FunctionBody } from '../encode/body.ts'
import { op } from '../encode/opcodes.ts'

/** Rounds that one phase takes. */
export interface Section {
  /** Its function. */
  readonly index: number
  readonly rounds: number
  /** Bytes between the arguments of all and its own. */
  readonly at: number
}

/** A function of the arguments' address and a range of rounds, those of all sections one after the other. */
export const printTogether = (sections: readonly Section[]): FunctionBody => {
  const body = new FunctionBody(['i32', 'i32', 'i32'])
  const [args, from, to] = [0, 1, 2]
  let start = 0
  for (const { index, rounds, at } of sections) {
    const end = start + rounds
    body.get(from)
    body.i32(end)
    body.op(op.i32LtS)
    body.get(to)
    body.i32(start)
    body.op(op.i32GtS)
    body.op(op.i32And)
    body.if()
    body.get(args)
    body.i32(at)
    body.op(op.i32Add)
    bounded(body, from, start, op.i32GtS, start)
    bounded(body, to, end, op.i32LtS, start)
    body.call(index)
    body.end()
    start = end
  }
  return body
}

// The round, or the bound where the comparison fails, counted from the first of the section.
const bounded = (
  body: FunctionBody,
  round: number,
  bound: number,
  comparison: number,
  first: number,
): void => {
  body.get(round)
  body.i32(bound)
  body.get(round)
  body.i32(bound)
  body.op(comparison)
  body.op(op.select)
  body.i32(first)
  body.op(op.i32Sub)
}
