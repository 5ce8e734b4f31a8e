/** Puts an item into a sorted list. Lists of a few terms need no more, and `sort` copies them. */
export const insert = <T extends number | string>(sorted: T[], item: T): void => {
  let n = sorted.length
  sorted.push(item)
  for (; n > 0 && sorted[n - 1]! > item; n--) sorted[n] = sorted[n - 1]!
  sorted[n] = item
}
