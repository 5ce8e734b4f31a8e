/** From the start of a process until the library has added two numbers. */
import { spawnSync } from 'node:child_process'
import { median } from '../../samples.ts'
import type { Figures, MeasuredWorkload } from '../workload.ts'

const times = 7

const program = `import { tensor } from ${JSON.stringify(import.meta.resolve('cotangent'))}
tensor([1, 2]).add(tensor([3, 4])).data()`

const fromStart = (): Figures => {
  const samples = Array.from({ length: times }, () => {
    const start = performance.now()
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(`the new process failed: ${stderr}`)
    return performance.now() - start
  })
  return { ms: median(samples), n: times }
}

export const startup: MeasuredWorkload = {
  id: 'import_ms',
  group: 'startup',
  title: 'process start until the library is ready',
  unit: 'ms',
  measure: fromStart,
}
