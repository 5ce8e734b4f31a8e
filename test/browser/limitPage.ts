/** A function whose module is too long for the main thread of a page, before and after it is there. */
import { type Tensor, jit, np } from 'cotangent'

/** The same function's results, as text. */
export interface LimitReport {
  readonly meanwhile: string
  readonly afterwards: string
  readonly wanted: string
  /** How many modules the browser refused to compile at once. */
  readonly refused: number
}

const chain = (y: Tensor): Tensor => np.round(np.tanh(y.mul(2)).add(1).cumsum())
const x = np.linspace(-1, 1, 4096)
const f = jit(chain)
const textOf = (y: Tensor): string => y.data().join(' ')

const wanted = textOf(jit(chain, { backend: 'interpret' })(x))
const meanwhile = textOf(f(x))
await f.precompile(x)
const afterwards = textOf(f(x))
const refused = Number(Reflect.get(globalThis, 'refusedModules'))
const report: LimitReport = { meanwhile, afterwards, wanted, refused }
Reflect.apply(Reflect.get(globalThis, 'deliver'), undefined, [JSON.stringify(report)])
