/** Small images: learned filters and examples that the model got wrong. */
import type { FilterBank, Mistake } from './data.ts'
import { percent, significant } from './format.ts'
import { element, type Markup } from './markup.ts'
import { type Bitmap, pngAddress } from './png.ts'

const greatest = (values: ArrayLike<number>): number => {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) most = Math.max(most, Math.abs(values[i]!))
  }
  return most
}

/** Blue for weights above 0 and orange below, on both light and dark ground. */
const above = [47, 111, 219] as const
const below = [226, 104, 32] as const

/** Filter `out` of a bank: its input channels side by side, a pixel apart; 0 is transparent. */
const filterBitmap = (bank: FilterBank, out: number, most: number): Bitmap => {
  const [, channels, height, width] = bank.shape
  const across = channels * (width + 1) - 1
  const pixels = new Uint8Array(across * height * 4)
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < height * width; i++) {
      const weight = bank.weights[(out * channels + c) * height * width + i] ?? 0
      const strength = most > 0 && Number.isFinite(weight) ? Math.abs(weight) / most : 0
      const at = Math.floor(i / width) * across + c * (width + 1) + (i % width)
      pixels.set([...(weight < 0 ? below : above), Math.round(255 * strength)], at * 4)
    }
  }
  return { width: across, height, channels: 4, pixels }
}

/**
 * The filters of a convolution, each a small image; one scale for the whole bank.
 * @throws RangeError if there are not as many weights as the shape says.
 */
export const filterImages = (bank: FilterBank): Markup => {
  const [outputs, channels, height, width] = bank.shape
  const size = outputs * channels * height * width
  if (size !== bank.weights.length) {
    throw new RangeError(`filterImages: ${bank.weights.length} weights for ${bank.shape.join('×')}`)
  }
  const most = greatest(bank.weights)
  // One input channel leaves room for large squares; many must fit beside each other.
  const pixel = channels === 1 ? 16 : 6
  const images = Array.from({ length: size === 0 ? 0 : outputs }, (_, out) => {
    const bitmap = filterBitmap(bank, out, most)
    const inputs = channels === 1 ? '' : `, ${channels} input channels side by side`
    const image = element('img', {
      src: pngAddress(bitmap),
      width: bitmap.width * pixel,
      height: bitmap.height * pixel,
      alt: `${bank.name}, filter ${out + 1}${inputs}`,
    })
    return element('li', {}, [image])
  })
  const caption = element('figcaption', {}, [
    element('strong', {}, [bank.name]),
    ` ${outputs} filters of ${channels}×${height}×${width}, from `,
    element('span', { class: 'key below' }, [`−${significant(most)}`]),
    ' over 0 to ',
    element('span', { class: 'key above' }, [`+${significant(most)}`]),
  ])
  return element('figure', { class: 'filters' }, [caption, element('ul', {}, images)])
}

/** Grey values from the image's least, black, to its greatest, white. */
const greyBitmap = ({ pixels, width, height }: Mistake): Bitmap => {
  let [low, high] = [Infinity, -Infinity]
  const values = Array.from({ length: width * height }, (_, i) => {
    const value = pixels[i] ?? Number.NaN
    if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)]
    return value
  })
  const scale = high > low ? 255 / (high - low) : 0
  const grey = values.map((v) => (Number.isFinite(v) ? Math.round((v - low) * scale) : 0))
  return { width, height, channels: 1, pixels: Uint8Array.from(grey) }
}

const mistake = (item: Mistake): Markup => {
  const { truth, predicted, index } = item
  const image = element('img', {
    src: pngAddress(greyBitmap(item)),
    width: 84,
    height: (84 * item.height) / item.width,
    alt: `A ${truth} taken for ${predicted}`,
    title: index === undefined ? undefined : `test example ${index}`,
  })
  const other = item.truthProbability === undefined ? [] : [` (${percent(item.truthProbability)})`]
  return element('li', {}, [
    image,
    element('p', {}, [
      element('b', { class: 'wrong' }, [predicted]),
      ` ${percent(item.probability)}`,
    ]),
    element('p', { class: 'muted' }, ['is ', element('b', {}, [truth]), ...other]),
  ])
}

/** The mistakes in the order given, each with what the model said and what is true. */
export const mistakeImages = (items: readonly Mistake[]): Markup =>
  element('ul', { class: 'mistakes' }, items.map(mistake))
