/** Where the examples come from: the generator, or files. */
import * as data from '@cotangent/data'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Options } from './options.ts'

/** Sizes of the generated sets: enough for about a minute of training. */
const generated = { train: 12_000, test: 2_000 } as const

/** The training and test sets, or one line saying what is wrong with the files. */
export const loadDigits = ({
  source,
  data: directory,
  seed,
}: Options): TE.TaskEither<string, data.TrainTest<data.LabelledImage>> => {
  if (source === 'digits' || directory === undefined) {
    return TE.right(data.digits({ seed, ...generated }))
  }
  return pipe(
    data.mnist(directory),
    TE.mapLeft((error) => `--data: ${data.explain(error)}`),
  )
}
