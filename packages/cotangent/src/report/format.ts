/** Numbers as people read them. The locale is fixed, so that the same run writes the same bytes. */

/** `12345.6` to `12,346`. */
export const count = (value: number): string => {
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) < 1e15 ? Math.round(value).toLocaleString('en-US') : value.toExponential(2)
}

/** A fraction as a percentage: `0.961` to `96.1 %`. */
export const percent = (fraction: number, digits: number = 1): string =>
  Number.isFinite(fraction) ? `${(fraction * 100).toFixed(digits)} %` : String(fraction)

/** Three significant figures, without an exponent where that stays short: `0.0123`, `4.56`, `1,234`. */
export const significant = (value: number): string => {
  // Rounded first, so that 0.9999 and 1 have the same number of decimals.
  const rounded = Number(value.toPrecision(3))
  const size = Math.abs(rounded)
  if (!Number.isFinite(value)) return String(value)
  if (size === 0) return '0'
  if (size >= 1e9 || size < 1e-4) return value.toExponential(2)
  if (size >= 1000) return count(value)
  return rounded.toFixed(2 - Math.floor(Math.log10(size)))
}

/** A loss, with a width that does not jump from step to step: `0.1234`, `12.3456`, `1.23e+9`, `NaN`. */
export const loss = (value: number): string =>
  Math.abs(value) < 1000
    ? value.toFixed(4)
    : Number.isFinite(value)
      ? value.toExponential(2)
      : String(value)

/** A countdown: `0:12`, `12:05`, `1:02:03`. */
export const clock = (seconds: number): string => {
  if (!Number.isFinite(seconds) || seconds >= 360_000) return '--:--'
  const whole = Math.max(0, Math.ceil(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** A length of time with its unit: `850 µs`, `12.3 ms`, `61.2 s`, `4 min 5 s`, `2 h 7 min`. */
export const elapsed = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return String(seconds)
  if (seconds < 9.995e-4) return `${significant(seconds * 1e6)} µs`
  if (seconds < 0.9995) return `${significant(seconds * 1e3)} ms`
  if (seconds < 119.5) return `${significant(seconds)} s`
  const whole = Math.round(seconds)
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${count(Math.floor(whole / 3600))} h ${Math.floor(whole / 60) % 60} min`
}

/** `1 step`, `2 steps`. */
export const plural = (n: number, one: string, many: string = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`
