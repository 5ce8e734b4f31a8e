/** Which calls are running: what they use must stay where it is. */
export class Calls {
  readonly #epochs: number[] = []
  readonly #labels: string[] = []
  #latest = 0

  begin(label: string): void {
    this.#latest += 1
    this.#epochs.push(this.#latest)
    this.#labels.push(label)
  }

  end(): void {
    this.#epochs.pop()
    this.#labels.pop()
  }

  /** The number of the innermost call; 0 outside of all. Later calls have larger numbers. */
  get current(): number {
    return this.#epochs.at(-1) ?? 0
  }

  /** The number of the latest call begun. */
  get latest(): number {
    return this.#latest
  }

  get label(): string {
    return this.#labels.at(-1) ?? 'heap'
  }

  /** Whether the call of this number is still running. */
  isRunning(epoch: number): boolean {
    return this.#epochs.length > 0 && this.#epochs.includes(epoch)
  }
}
