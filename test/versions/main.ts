/** What each version of Node runs: all programs in all modes. */
import { writeFileSync } from 'node:fs'
import { threadedModes } from '../smoke/modes.ts'
import { runSmoke } from '../smoke/run.ts'

const [, , target] = process.argv
if (target === undefined) throw new Error('where is the report to go?')
writeFileSync(target, JSON.stringify(runSmoke(threadedModes)))
