/** The cheapest set of nodes that separates a source from a sink. */

interface Edge {
  readonly to: number
  /** What may still flow; the edge back takes what does. */
  room: number
  readonly back: number
}

/** A directed graph whose nodes have a price. Edges cost nothing to cross. */
export class PricedGraph {
  // Each node is an entrance and an exit; the edge between them carries the price.
  readonly #edges: Edge[] = []
  readonly #from: number[][] = []

  addNode(price: number): number {
    const node = this.#from.length / 2
    this.#from.push([], [])
    this.#connect(2 * node, 2 * node + 1, price)
    return node
  }

  addEdge(from: number, to: number): void {
    this.#connect(2 * from + 1, 2 * to, Infinity)
  }

  #connect(from: number, to: number, room: number): void {
    const edge = this.#edges.length
    this.#edges.push({ to, room, back: edge + 1 }, { to: from, room: 0, back: edge })
    this.#from[from]!.push(edge)
    this.#from[to]!.push(edge + 1)
  }

  /**
   * The nodes to remove so that nothing leads from `source` to `sink`, of the least total price; of
   * several such sets the one nearest to the sink.
   * @see Ford and Fulkerson 1956, Maximal flow through a network
   */
  cut(source: number, sink: number): readonly number[] {
    const [start, end] = [2 * source + 1, 2 * sink]
    for (let path = this.#path(start, end); path !== null; path = this.#path(start, end)) {
      const flow = Math.min(...path.map((e) => this.#edges[e]!.room))
      for (const e of path) {
        const edge = this.#edges[e]!
        edge.room -= flow
        this.#edges[edge.back]!.room += flow
      }
    }
    const beyond = this.#leadingTo(end)
    return Array.from({ length: this.#from.length / 2 }, (_, node) => node).filter(
      (node) => beyond.has(2 * node + 1) && !beyond.has(2 * node),
    )
  }

  // A shortest way with room on it, as edges.
  #path(start: number, end: number): readonly number[] | null {
    const by = new Map<number, number>()
    const queue = [start]
    for (const at of queue) {
      for (const e of this.#from[at]!) {
        const { to, room } = this.#edges[e]!
        if (room <= 0 || to === start || by.has(to)) continue
        by.set(to, e)
        queue.push(to)
      }
    }
    if (!by.has(end)) return null
    const path: number[] = []
    for (let at = end; at !== start; ) {
      const e = by.get(at)!
      path.push(e)
      at = this.#edges[this.#edges[e]!.back]!.to
    }
    return path
  }

  // Everything from which there is still a way with room to `end`.
  #leadingTo(end: number): ReadonlySet<number> {
    const seen = new Set([end])
    for (const at of seen) {
      for (const e of this.#from[at]!) {
        const edge = this.#edges[e]!
        if (this.#edges[edge.back]!.room > 0) seen.add(edge.to)
      }
    }
    return seen
  }
}
