/** Networks repeat their layers: equal kernels are one object, which later stages treat once. */
import type { Kernel } from './kernel.ts'
import { sameBody } from './loops/equal.ts'

/** Kernels that differ in this are not even compared. */
const signatureOf = ({ name, buffers, scratch = [] }: Kernel): string => {
  let text = name
  for (const b of buffers) text += ` ${b.name} ${b.dtype} ${b.size} ${b.access}`
  for (const s of scratch) text += ` ${s.name} ${s.dtype} ${s.size}`
  return text
}

/** The kernels met so far. */
export class Repeats {
  readonly #known = new Map<string, Kernel[]>()

  /** The first kernel that is equal to this one: itself, where none is. */
  of(kernel: Kernel): Kernel {
    const signature = signatureOf(kernel)
    const alike = this.#known.get(signature)
    const found = alike?.find((k) => sameBody(k.body, kernel.body))
    if (found !== undefined) return found
    if (alike === undefined) this.#known.set(signature, [kernel])
    else alike.push(kernel)
    return kernel
  }
}
