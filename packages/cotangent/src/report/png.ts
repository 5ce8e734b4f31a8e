/** The smallest PNG encoder that does: 8 bits, no palette, no filter. */
import { deflateSync } from 'node:zlib'

/** Grey, or red, green, blue and opacity, each 0 to 255, row-major. */
export interface Bitmap {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 4
  readonly pixels: Uint8Array
}

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

/** The checksum of PNG, gzip and Ethernet (ISO 3309). */
export const crc32 = (bytes: Uint8Array): number => {
  let c = 0xffffffff
  for (const byte of bytes) c = table[(c ^ byte) & 255]! ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

const chunk = (name: string, body: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(body.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, body.length)
  bytes.set(new TextEncoder().encode(name), 4)
  bytes.set(body, 8)
  view.setUint32(body.length + 8, crc32(bytes.subarray(4, body.length + 8)))
  return bytes
}

/**
 * The bytes of a PNG file.
 * @throws RangeError if there are not `width · height · channels` numbers.
 * @see PNG specification, third edition, sections 5 and 11
 */
export const encodePng = ({ width, height, channels, pixels }: Bitmap): Uint8Array => {
  const stride = width * channels
  if (width < 1 || height < 1 || pixels.length !== stride * height) {
    throw new RangeError(`encodePng: ${pixels.length} numbers for ${width}×${height}×${channels}`)
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  // Bit depth, then the colour type: 0 is grey, 6 is colour with opacity.
  header.set([8, channels === 1 ? 0 : 6], 8)
  const rows = new Uint8Array((stride + 1) * height)
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1)
  }
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ])
}

/** A PNG as an address that needs no file. */
export const pngAddress = (bitmap: Bitmap): string =>
  `data:image/png;base64,${Buffer.from(encodePng(bitmap)).toString('base64')}`
