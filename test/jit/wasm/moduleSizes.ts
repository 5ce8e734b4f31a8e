/** How large the functions of a WebAssembly module are. */

/** Bytes of every function's body, in order: of section 10, the code. */
export const functionSizes = (module: Uint8Array): readonly number[] => {
  let at = 8
  const number = (): number => {
    let [value, shift] = [0, 0]
    for (;;) {
      const byte = module[at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return value
      shift += 7
    }
  }
  while (at < module.length) {
    const section = module[at++]
    const bytes = number()
    if (section !== 10) {
      at += bytes
      continue
    }
    return Array.from({ length: number() }, () => {
      const size = number()
      at += size
      return size
    })
  }
  return []
}
