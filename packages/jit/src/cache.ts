/** A bounded cache keyed by lists of exact parts: a trie of Maps, least recently used out first. */

/** A part of a key: compared as `Map` compares, so by value for primitives, by identity for objects. */
export type KeyPart = unknown

class Node<T> {
  readonly children = new Map<KeyPart, Node<T>>()
  value: T | undefined = undefined
}

/** `Map` takes -0 for 0; functions of static values may not. */
const negativeZero = Symbol('-0')
const normal = (part: KeyPart): KeyPart => (Object.is(part, -0) ? negativeZero : part)

export class Cache<T> {
  readonly #root = new Node<T>()
  readonly #recent = new Map<Node<T>, readonly KeyPart[]>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#recent.size
  }

  /** All values, the latest used last. */
  values(): readonly T[] {
    return [...this.#recent.keys()].flatMap(({ value }) => (value === undefined ? [] : [value]))
  }

  get(key: readonly KeyPart[]): T | undefined {
    let node: Node<T> | undefined = this.#root
    for (const part of key) {
      node = node.children.get(normal(part))
      if (node === undefined) return undefined
    }
    if (node.value !== undefined && this.#recent.size > 1) {
      this.#recent.delete(node)
      this.#recent.set(node, key)
    }
    return node.value
  }

  set(key: readonly KeyPart[], value: T): void {
    let node = this.#root
    for (const part of key) {
      const at = normal(part)
      let child = node.children.get(at)
      if (child === undefined) {
        child = new Node<T>()
        node.children.set(at, child)
      }
      node = child
    }
    node.value = value
    this.#recent.set(node, key)
    if (this.#recent.size > this.#capacity) this.#evict()
  }

  clear(): void {
    this.#root.children.clear()
    this.#recent.clear()
  }

  #evict(): void {
    const oldest = this.#recent.entries().next().value
    if (oldest === undefined) return
    const [node, key] = oldest
    this.#recent.delete(node)
    node.value = undefined
    this.#prune(key)
  }

  // Removes the branches that led only to the evicted value.
  #prune(key: readonly KeyPart[]): void {
    const path: Node<T>[] = [this.#root]
    for (const part of key) path.push(path.at(-1)!.children.get(normal(part))!)
    for (let depth = key.length; depth > 0; depth--) {
      const node = path[depth]!
      if (node.value !== undefined || node.children.size > 0) return
      path[depth - 1]!.children.delete(normal(key[depth - 1]))
    }
  }
}
