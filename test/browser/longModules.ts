/**
 * A script for pages that makes every module of more than a few bytes longer than the main thread may
 * compile at once: a section that nobody reads is put after it. So it is the browser that refuses.
 */
export const longModules: string = `
const { Module, compile } = WebAssembly
// A custom section: number 0, its length as four groups of seven bits, a name of no letters.
const length = 9 * 2 ** 20
const lengthened = (bytes) => {
  if (bytes.byteLength < 512) return bytes
  const long = new Uint8Array(bytes.byteLength + 5 + length)
  long.set(bytes)
  const groups = [0, 7, 14, 21].map((by) => ((length >> by) & 127) | (by < 21 ? 128 : 0))
  long.set([0, ...groups], bytes.byteLength)
  return long
}
globalThis.refusedModules = 0
WebAssembly.Module = new Proxy(Module, {
  construct: (target, [bytes]) => {
    try {
      return new target(lengthened(bytes))
    } catch (error) {
      globalThis.refusedModules += 1
      throw error
    }
  },
})
WebAssembly.compile = (bytes) => compile(lengthened(bytes))
`
