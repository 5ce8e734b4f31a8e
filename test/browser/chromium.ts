/** Chromium without a window, told what to do over a pipe in the words of its DevTools. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a Chromium: what `COTANGENT_CHROMIUM` says, else one on the `PATH`; else null. */
export const findChromium = (): string | null => {
  const said = process.env['COTANGENT_CHROMIUM']
  if (said !== undefined && said !== '') return said
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  return paths.find(isExecutable) ?? null
}

// No sandbox: it is refused to the superuser. Nothing that looks for the network.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
]

interface Message {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

interface Waiting {
  readonly resolve: (result: Readonly<Record<string, unknown>>) => void
  readonly reject: (error: Error) => void
}

/** What a page did until it delivered its report. */
export interface Visit {
  /** What the page called `deliver` with. */
  readonly report: string
  /** Lines that it wrote to the console, each after its level. */
  readonly lines: readonly string[]
}

export class Chromium {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #pipe: Duplex
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Set<(message: Message) => void>()
  #last = 0

  constructor(path: string) {
    this.#profile = mkdtempSync(join(tmpdir(), 'cotangent-chromium-'))
    this.#process = spawn(path, [...flags, `--user-data-dir=${this.#profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const [, , , commands, messages] = this.#process.stdio
    this.#pipe = asDuplex(commands)
    let rest = ''
    asDuplex(messages)
      .setEncoding('utf8')
      .on('data', (text: string) => {
        const parts = (rest + text).split('\0')
        rest = parts.pop() ?? ''
        for (const part of parts) this.#receive(JSON.parse(part))
      })
    this.#process.on('exit', (code) => this.#fail(`Chromium ended with code ${code}`))
    this.#process.on('error', (error) => this.#fail(`Chromium did not start: ${error.message}`))
    this.#pipe.on('error', (error) => this.#fail(`Chromium hears nothing: ${error.message}`))
  }

  /** Opens a page in a profile of its own and waits until it calls `deliver(text)`. */
  async visit(url: string, milliseconds = 110_000): Promise<Visit> {
    const { browserContextId } = await this.#send('Target.createBrowserContext')
    const made = await this.#send('Target.createTarget', { url: 'about:blank', browserContextId })
    const { targetId } = made
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true })
    const lines: string[] = []
    const { promise, resolve, reject } = deferred<string>()
    const listener = (message: Message): void => {
      if (message.sessionId !== sessionId) return
      const { method, params = {} } = message
      if (method === 'Runtime.bindingCalled') resolve(String(params['payload']))
      else if (method === 'Runtime.consoleAPICalled') lines.push(lineOf(params))
      else if (method === 'Runtime.exceptionThrown') reject(new Error(exceptionOf(params)))
      else if (method === 'Log.entryAdded') lines.push(entryOf(params))
    }
    this.#listeners.add(listener)
    const timer = setTimeout(() => {
      reject(new Error(`${url} delivered nothing; it said:\n${lines.join('\n')}`))
    }, milliseconds)
    try {
      const session = String(sessionId)
      await this.#send('Runtime.enable', {}, session)
      await this.#send('Log.enable', {}, session)
      await this.#send('Runtime.addBinding', { name: 'deliver' }, session)
      await this.#send('Page.navigate', { url }, session)
      return { report: await promise, lines }
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(listener)
      await this.#send('Target.disposeBrowserContext', { browserContextId })
    }
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) resolve()
      else this.#process.once('exit', () => resolve())
    })
    this.#process.kill()
    await ended
    await this.#removeProfile()
  }

  // Helper processes end a little later, and until then write into the profile: `rmSync` repeats
  // itself only for what it saw at first, so it is called anew.
  async #removeProfile(attempts = 50): Promise<void> {
    try {
      rmSync(this.#profile, { recursive: true, force: true })
    } catch (error) {
      if (attempts === 0) throw error
      await sleep(100)
      await this.#removeProfile(attempts - 1)
    }
  }

  #send(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    sessionId?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last
    const { promise, resolve, reject } = deferred<Readonly<Record<string, unknown>>>()
    this.#waiting.set(id, { resolve, reject })
    this.#pipe.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return promise
  }

  #receive(message: Message): void {
    const { id, error, result = {} } = message
    if (id === undefined) {
      for (const listener of this.#listeners) listener(message)
      return
    }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(error.message))
  }

  #fail(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(reason))
    this.#waiting.clear()
  }
}

const deferred = <T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
} => {
  let [resolve, reject] = [(_: T): void => {}, (_: Error): void => {}]
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const asDuplex = (stream: unknown): Duplex => {
  if (isDuplex(stream)) return stream
  throw new Error('Chromium has no pipe')
}

const isDuplex = (stream: unknown): stream is Duplex =>
  typeof stream === 'object' && stream !== null && 'write' in stream && 'read' in stream

const fieldOf = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined),
    value,
  )

const lineOf = (params: unknown): string => {
  const args = fieldOf(params, 'args')
  const words = Array.isArray(args)
    ? args.map((arg) => String(fieldOf(arg, 'value') ?? fieldOf(arg, 'description')))
    : []
  return `${String(fieldOf(params, 'type'))}: ${words.join(' ')}`
}

const entryOf = (params: unknown): string =>
  `${String(fieldOf(params, 'entry', 'level'))}: ${String(fieldOf(params, 'entry', 'text'))}`

const exceptionOf = (params: unknown): string =>
  String(
    fieldOf(params, 'exceptionDetails', 'exception', 'description') ??
      fieldOf(params, 'exceptionDetails', 'text'),
  )
