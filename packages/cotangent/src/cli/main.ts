#!/usr/bin/env node
/** The command line: trains a digit classifier and writes a report about it. */
import * as E from 'fp-ts/lib/Either.js'
import { CotangentError } from '@cotangent/core'
import { checkReportPath, writeReport } from '../report/writeReport.ts'
import { reportOf } from './assemble.ts'
import { knownModels } from './models.ts'
import { parseOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { loadDigits } from './source.ts'
import { usage } from './usage.ts'
import { percent, plural } from '../report/format.ts'
import type { Options } from './options.ts'
import type { ModelName } from './models.ts'
import type { Outcome } from './outcome.ts'

/** A wrong flag, file or data set: nothing was written. */
const misuse = 2

const fail = (message: string): number => {
  process.stderr.write(`${message}\n`)
  return misuse
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const main = async (args: readonly string[]): Promise<number> => {
  const parsed = parseOptions(args, knownModels)
  if (E.isLeft(parsed)) return fail(parsed.left.message)
  const options = parsed.right
  if (options.help) {
    say(usage(knownModels))
    return 0
  }
  const target = await checkReportPath(options.report)()
  if (E.isLeft(target)) return fail(target.left.message)
  const loaded = await loadDigits(options)()
  if (E.isLeft(loaded)) return fail(loaded.left)
  const digits = loaded.right
  const examples = { train: digits.train.size, test: digits.test.size }
  if (options.batch > examples.train) {
    return fail(
      `--batch: got ${options.batch}, want at most the ${examples.train} training examples`,
    )
  }
  announce(options, examples)

  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const progress = createProgress({ stream: process.stdout })
  const outcome = await knownModels[options.model].train({
    options,
    digits,
    progress,
    signal: stop.signal,
    say,
  })
  conclude(outcome)
  const written = await writeReport(target.right, reportOf(options, outcome, examples))()
  if (E.isLeft(written)) return fail(written.left.message)
  say(`report: ${written.right}`)
  return 0
}

const announce = (
  options: Options<ModelName>,
  examples: { readonly train: number; readonly test: number },
): void => {
  const source =
    options.source === 'mnist' ? `MNIST from ${options.data ?? ''}` : 'generated digits'
  const count = examples.train.toLocaleString('en')
  say(
    `${options.model} on ${source}: ${count} examples, ${options.epochs} epochs of batches of ${options.batch}`,
  )
}

const conclude = (outcome: Outcome): void => {
  const last = outcome.tests.at(-1)
  if (outcome.interrupted) say(`stopped after ${plural(outcome.steps, 'step')}`)
  if (last !== undefined)
    say(`test accuracy ${percent(last.accuracy)}, loss ${last.loss.toFixed(4)}`)
  const { compiledStepSeconds: compiled, interpretedStepSeconds: interpreted } = outcome
  if (compiled === undefined || interpreted === undefined) return
  const [fast, slow] = [compiled * 1000, interpreted * 1000]
  say(
    `one step: ${fast.toFixed(1)} ms compiled, ${slow.toFixed(0)} ms interpreted: ${(slow / fast).toFixed(1)} times faster`,
  )
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // Wrong use found late, such as a diverging loss, is one message; anything else is our bug.
  if (!(error instanceof CotangentError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
