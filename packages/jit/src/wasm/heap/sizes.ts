/** How large a block is for so many bytes, and which list of free blocks it belongs in. */

/** Blocks begin at multiples of this, a cache line, and are whole multiples long. */
export const granule = 64
/** So many bytes past the end of every block may be read (never written). */
export const guardBytes = 64
/** 2³² bytes: what 32-bit addresses reach. */
export const maximumPages = 65536
export const pageBytes = 65536

const aliasBytes = 4096
const smallest = 16 * 1024

/**
 * The bytes of the block that holds `bytes`: less than 25 % more from 1 KiB on. Arrays whose sizes
 * are multiples of 4 KiB would begin at the same cache set one behind the other, and a load after
 * a store to an address equal modulo 4 KiB waits for it. So large blocks are 1600 bytes longer
 * than a multiple of 4 KiB (25 lines: near the golden section of 64, so that neighbours, and
 * neighbours of neighbours, lie far apart).
 */
export const blockBytes = (bytes: number): number => {
  const size = Math.max(granule, Math.ceil(bytes / granule) * granule)
  if (size >= smallest) {
    const surplus = (size - 1600) % aliasBytes
    return surplus === 0 ? size : size + aliasBytes - surplus
  }
  return size >= aliasBytes && size % aliasBytes === 0 ? size + 576 : size
}

const exactBins = 16
const exponents = 26 - 4 + 1

/** One list for each size up to 1 KiB, then eight for each power of two. */
export const binCount: number = exactBins + 8 * exponents

/** The list of free blocks for blocks of `size` bytes: all in a later list are larger. */
export const binOf = (size: number): number => {
  const units = size / granule
  if (units < exactBins) return units
  const exponent = 31 - Math.clz32(units)
  return exactBins + (exponent - 4) * 8 + ((units >>> (exponent - 3)) & 7)
}
