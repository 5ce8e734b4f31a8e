/**
 * Truncated back-propagation through time: a GRU hears an endless row of bits, and says each of them
 * again four steps later:
 *     node examples/dist/truncatedBptt.js
 * Every step of training sees sixteen bits and the state that the last step ended with, so gradients
 * stop at the window while memory does not. The loss falls from ln 2 = 0.69 to below 0.01 in 300 steps
 * (a second).
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, jit, nn, np, optim, random, valueAndGrad } from 'cotangent'

const usual = { delay: 4, window: 16, batch: 16, units: 24, steps: 300, print: console.log }

export const main = (options: Partial<typeof usual> = {}) => {
  const { delay, window, batch, units, steps, print } = { ...usual, ...options }
  const [memory, read] = [nn.gru(units, { returnCarry: true }), nn.dense(1)]
  const [memoryKey, readKey, bitsKey] = random.split(random.key(0), 3)
  const params = {
    memory: memory.init(memoryKey!, [batch, window, 1]).params,
    read: read.init(readKey!, [batch, window, units]).params,
  }
  type Params = typeof params
  type Carry = { readonly h: Tensor }

  // The state comes in as an argument that is not differentiated: the cut between windows.
  const loss = (p: Params, carry: Carry, heard: Tensor, said: Tensor): readonly [Tensor, Carry] => {
    const [y] = memory.apply({ params: p.memory, state: nn.none }, { inputs: heard, carry })
    const [logits] = read.apply({ params: p.read, state: nn.none }, y.outputs)
    return [nn.softplus(logits).sub(logits.mul(said)).mean(), y.carry]
  }
  const optimizer = optim.adam(1e-2)
  const step = (
    p: Params,
    state: ReturnType<typeof optimizer.init>,
    carry: Carry,
    bits: Tensor,
  ) => {
    const [heard, said] = [bits.at(':', `${delay}:`), bits.at(':', `:${-delay}`)]
    const [[value, next], gradients] = valueAndGrad(loss, { hasAux: true })(p, carry, heard, said)
    const [updates, after] = optimizer.update(gradients, state, p)
    return [optim.applyUpdates(p, updates), after, next, value] as const
  }
  const learn = jit(step)
  const shape = [batch, delay + window * steps, 1]
  const bits = random.bernoulli(bitsKey!, 0.5, { shape }).astype('float32')
  let [p, state, carry] = [params, optimizer.init(params), { h: np.zeros([batch, units]) }]
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const seen = bits.at(':', `${i * window}:${(i + 1) * window + delay}`)
    const [nextParams, nextState, nextCarry, value] = learn(p, state, carry, seen)
    ;[p, state, carry] = [nextParams, nextState, nextCarry]
    losses.push(value.item())
    if ((i + 1) % Math.ceil(steps / 6) === 0)
      print(`step ${i + 1}: loss ${losses.at(-1)!.toFixed(3)}`)
  }
  return { losses }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
