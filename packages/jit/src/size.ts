/** How much a program has to do, as far as is known before it runs. */
import { type Stmt, sizeOf } from '@cotangent/core'
import { type Program, type Step, typeOf } from './program.ts'

/** Rounds of innermost loops below which calling into WebAssembly is most of the time. */
const fewRounds = 1500
/** Elements of inputs and outputs beyond which they are better left where WebAssembly has them. */
const fewElements = 2048
/** How often a loop whose end depends on data is taken to run. */
const guessedTurns = 16

const roundsOf = (statements: readonly Stmt[]): number => {
  let rounds = 0
  for (const s of statements) {
    if (s.tag === 'for')
      rounds += Math.ceil(s.extent / (s.step ?? 1)) * Math.max(1, roundsOf(s.body))
    else if (s.tag === 'while') rounds += guessedTurns * Math.max(1, roundsOf(s.body))
    else if (s.tag === 'if') rounds += Math.max(roundsOf(s.then), roundsOf(s.otherwise))
  }
  return rounds
}

const roundsOfStep = (step: Step): number => {
  switch (step.tag) {
    case 'kernel':
      return roundsOf(step.kernel.body)
    case 'together':
      return step.parts.reduce((n, part) => n + 1 + roundsOfStep(part), 0)
    case 'scan':
      return step.length * roundsOfProgram(step.body)
    case 'while':
      return guessedTurns * (roundsOfProgram(step.condition) + roundsOfProgram(step.body))
    case 'branch':
      return Math.max(...step.branches.map(roundsOfProgram))
    case 'host':
      return 0
    default:
      return step satisfies never
  }
}

const roundsOfProgram = ({ steps }: Program): number =>
  steps.reduce((n, step) => n + 1 + roundsOfStep(step), 0)

/** Whether a program is over before entering WebAssembly pays. */
export const isTiny = (program: Program): boolean => {
  const elements = (n: number, slot: Parameters<typeof typeOf>[0]): number =>
    n + sizeOf(typeOf(slot).shape)
  const handed = [...program.inputs, ...program.outputs].reduce(elements, 0)
  return handed <= fewElements && roundsOfProgram(program) <= fewRounds
}
