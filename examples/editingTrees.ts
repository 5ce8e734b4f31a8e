/**
 * Parameters are plain frozen objects, so surgery on a network is editing an object: freeze a branch,
 * swap the head, prune, share weights, take a part of a checkpoint. What an edit does not touch is
 * not copied: it is the same object before and after.
 *
 *     node examples/dist/editingTrees.js
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, data, grad, jit, nn, np, optim, random, tree } from 'cotangent'

/** A backbone that could be anybody's, and a head for so many classes. */
const networkFor = (classes: number) =>
  nn.serial({
    backbone: nn.serial(nn.dense(64), nn.tanh, nn.dense(64), nn.tanh),
    head: nn.dense(classes),
  })
type Params = nn.ParamsOf<ReturnType<typeof networkFor>>

const spirals = (arms: number) => data.spirals({ arms, count: 300 }).batch(300)

/** So many steps of Adam on whatever part of the parameters it is given. */
const fit = <P>(learned: P, loss: (learned: P) => Tensor, steps: number): P => {
  const optimizer = optim.adam(0.01)
  const step = jit((params: P, state: ReturnType<typeof optimizer.init>) => {
    const [updates, next] = optimizer.update(grad(loss)(params), state, params)
    return [optim.applyUpdates(params, updates), next] as const
  })
  let [params, state] = [learned, optimizer.init(learned)]
  for (let i = 0; i < steps; i++) [params, state] = step(params, state)
  return params
}

const examples = (arms: number) => {
  const [batch] = [...spirals(arms)]
  return batch!
}

export const main = ({ steps = 300, print = console.log } = {}) => {
  const [two, three] = [networkFor(2), networkFor(3)]
  const [binary, ternary] = [examples(2), examples(3)]
  const lossOf =
    (network: typeof two, { point, label }: typeof binary) =>
    (params: Params): Tensor =>
      nn.losses.softmaxCrossEntropy(network.apply({ params, state: {} }, point)[0], label)
  // The number of classes is in the parameters: any of these networks applies them.
  const accuracy = (params: Params, { point, label }: typeof binary): number => {
    const [logits] = two.apply({ params, state: {} }, point)
    return logits.argmax({ axis: -1 }).equal(label).mean().item()
  }
  const percent = (params: Params, batch: typeof binary): string =>
    `${(100 * accuracy(params, batch)).toFixed(1)} %`

  const pretrained = fit(two.init(random.key(0), [1, 2]).params, lossOf(two, binary), steps)
  print(`two arms: accuracy ${percent(pretrained, binary)}`)

  // Swap the head: the backbone is not copied, it is the same object.
  const { head } = three.init(random.key(1), [1, 2]).params
  const swapped = tree.update(pretrained, (draft) => {
    draft.head = head
  })
  print(`head swapped, backbone the same object: ${swapped.backbone === pretrained.backbone}`)

  // Freeze the backbone: only the other side of the partition goes to the optimiser.
  const partly = nn.frozen(three, ['backbone'])
  const [held, learned] = tree.partition(nn.isFrozen(partly), swapped)
  const whole = (part: unknown): Params => tree.combine<Params>(part, held)
  const adapted = whole(fit(learned, (part) => lossOf(partly, ternary)(whole(part)), steps))
  const isHeld = adapted.backbone.dense1.kernel === pretrained.backbone.dense1.kernel
  print(`three arms, backbone frozen: accuracy ${percent(adapted, ternary)}; held: ${isHeld}`)

  // Then all of it, from there.
  const tuned = fit(adapted, lossOf(three, ternary), steps)
  print(`three arms, all of it tuned: accuracy ${percent(tuned, ternary)}`)

  // Prune: the smaller half of a kernel's weights becomes zero; its bias stays the same object.
  const kernel = tuned.backbone.dense2.kernel
  const large = kernel.abs().greater(np.median(kernel.abs()))
  const pruned = tree.update(tuned, (draft) => {
    draft.backbone.dense2.kernel = kernel.where(large, 0)
  })
  print(`half of one kernel pruned: accuracy ${percent(pruned, ternary)}`)

  // Share: one layer in two places has its parameters once.
  const middle = nn.shared(nn.dense(64), 'middle')
  const tied = nn.serial(nn.dense(64), nn.tanh, middle, nn.tanh, middle, nn.tanh, nn.dense(3))
  const { params: sharing } = tied.init(random.key(2), [1, 2])
  print(`shared: ${tree.size(sharing).toLocaleString('en')} parameters`)

  // Load a part of a checkpoint into a network that is new otherwise.
  const fresh = two.init(random.key(3), [1, 2]).params
  const loaded = tree.update(fresh, (draft) => {
    draft.backbone.dense1 = tuned.backbone.dense1
  })
  print(`one of three layers loaded, head the same object: ${loaded.head === fresh.head}`)
  return { pretrained, swapped, adapted, tuned, pruned, sharing, fresh, loaded, accuracy, ternary }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
