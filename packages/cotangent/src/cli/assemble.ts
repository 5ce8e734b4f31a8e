/** From the outcome of a run to the data of its report. */
import { availableParallelism, cpus } from 'node:os'
import type { ReportData } from '../report/data.ts'
import type { Options } from './options.ts'
import type { Outcome } from './outcome.ts'

export const reportOf = (
  options: Options,
  outcome: Outcome,
  examples: { readonly train: number; readonly test: number },
): ReportData => {
  const last = outcome.tests.at(-1)
  const source =
    options.source === 'mnist' ? `MNIST files in ${options.data ?? ''}` : 'generated digits'
  return {
    title: `${options.model} on ${options.source === 'mnist' ? 'MNIST' : 'generated digits'}`,
    subtitle: `${outcome.steps.toLocaleString('en')} steps of ${options.batch}, traced, differentiated and compiled by cotangent`,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    interrupted: outcome.interrupted
      ? `after step ${outcome.steps} of ${outcome.stepsPerEpoch * options.epochs}, by Ctrl-C`
      : undefined,
    summary: {
      testAccuracy: last?.accuracy,
      testLoss: last?.loss,
      testExamples: examples.test,
      trainSeconds: outcome.trainSeconds,
      examplesPerSecond: outcome.examplesPerSecond,
      compileSeconds: outcome.compileSeconds,
      compiledStepSeconds: outcome.compiledStepSeconds,
      interpretedStepSeconds: outcome.interpretedStepSeconds,
      parameters: outcome.parameters,
    },
    settings: [
      ['data', source],
      ['training examples', examples.train.toLocaleString('en')],
      ['model', options.model],
      ['epochs', String(options.epochs)],
      ['batch', String(options.batch)],
      ['optimiser', `Adam, learning rate ${options.learningRate}`],
      ['seed', String(options.seed)],
      ['execution', options.interpret ? 'interpreted' : 'compiled'],
    ],
    environment: [
      ['Node', process.version],
      ['platform', `${process.platform} ${process.arch}`],
      ['processor', cpus()[0]?.model.trim() ?? 'unknown'],
      ['threads', `${outcome.threads} of ${availableParallelism()}`],
    ],
    training: {
      loss: outcome.loss,
      accuracy: outcome.accuracy,
      stepsPerEpoch: outcome.stepsPerEpoch,
    },
    tests: outcome.tests,
    confusion: outcome.confusion,
    filters: outcome.filters,
    mistakes: outcome.mistakes,
    graphs: outcome.graphs,
    kernels: outcome.kernels,
    kernelsMeasuredOver: `one training step, the mean of ${outcome.kernelRuns}`,
    roofs: outcome.roofs,
    firstCall: outcome.firstCall,
  }
}
