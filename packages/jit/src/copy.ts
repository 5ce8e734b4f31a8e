/** An equation that only copies: gives an output memory of its own. */
import { type Primitive, bind1, definePrimitive, wholeEquation } from '@cotangent/core'

export const copyP: Primitive<readonly ['x'], null> = definePrimitive({
  name: 'copy',
  slots: ['x'],
  typing: ([x]) => [x],
  evaluate: ([x]) => [x],
  jvp: { x: (dx) => dx },
  transpose: { x: (ct) => ct },
  partition: wholeEquation,
  batch: ([x], [dim]) => ({ outputs: [bind1(copyP, [x], null)], dims: [dim] }),
  lower: ([x]) => ({ tag: 'pull', cost: 'cheap', outputs: [(index) => x.at(index)] }),
  effectful: false,
})
