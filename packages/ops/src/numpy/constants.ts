/** Numbers by name. */
export const pi: number = Math.PI
export const e: number = Math.E
export const inf: number = Infinity
export const nan: number = Number.NaN
/** The Euler–Mascheroni constant. */
export const eulerGamma: number = 0.5772156649015329
/** As an index part: a new axis. */
export const newaxis: null = null
