/** A profile in Chrome's trace event format, which chrome://tracing and ui.perfetto.dev open. */
import type { ProfileData, ProfileSpan } from './data.ts'

interface TraceEvent {
  readonly name: string
  readonly cat: string
  /** `X`: from `ts` for `dur` microseconds. `M`: the name of a track. */
  readonly ph: 'X' | 'M'
  readonly ts: number
  readonly dur: number
  readonly pid: number
  readonly tid: number
  readonly args: Readonly<Record<string, string | number | null>>
}

const [compileTrack, callTrack] = [1, 2]

const event = (
  name: string,
  cat: string,
  tid: number,
  start: number,
  end: number,
  args: TraceEvent['args'] = {},
): TraceEvent => ({
  name,
  cat,
  ph: 'X',
  ts: 1000 * start,
  dur: 1000 * (end - start),
  pid: 1,
  tid,
  args,
})

const naming = (name: string, tid: number, text: string): TraceEvent => ({
  name,
  cat: '__metadata',
  ph: 'M',
  ts: 0,
  dur: 0,
  pid: 1,
  tid,
  args: { name: text },
})

/** What traces show beside the data of a profile. */
export interface Timeline {
  /** The calls, from the start of the first. */
  readonly calls: readonly { readonly start: number; readonly end: number }[]
  readonly spans: readonly ProfileSpan[]
  /** How many spans were not kept. */
  readonly dropped: number
}

/** The text of a trace: compile stages one after the other, then the calls with their kernels. */
export const showTrace = (profile: ProfileData, { calls, spans, dropped }: Timeline): string => {
  let now = 0
  const stages = profile.compile.map(({ stage, time }) => {
    const start = now
    now += time
    return event(stage, 'compile', compileTrack, start, now)
  })
  const begin = now
  const events: readonly TraceEvent[] = [
    naming('process_name', callTrack, `cotangent: ${profile.name}`),
    naming('thread_name', compileTrack, 'compile'),
    naming('thread_name', callTrack, `calls (${profile.backend})`),
    ...stages,
    ...calls.map(({ start, end }, i) =>
      event(`call ${i}`, 'call', callTrack, begin + start, begin + end),
    ),
    ...spans.map(({ row, start, end }) => {
      const { name, flops, bytes, calls: runs, threads, inside, apart, at } = profile.rows[row]!
      return event(name, 'kernel', callTrack, begin + start, begin + end, {
        flops: flops / runs,
        bytes: bytes / runs,
        threads,
        inside,
        apart,
        at,
      })
    }),
  ]
  return JSON.stringify({
    traceEvents: events,
    displayTimeUnit: 'ms',
    otherData: { 'spans not kept': dropped },
  })
}
