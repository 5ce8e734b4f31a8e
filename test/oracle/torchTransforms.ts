/** `torch/transforms.json`: derivatives of every kind of functions given by formulas. */
import {
  type Tensor,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jvp,
  tensor,
  vjp,
  vmap,
} from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { lax, np, prims } from '@cotangent/ops'
import { type Outcome, type TensorJson, decodeTensor, judge, leftOut } from './cases.ts'
import { type Tensors, decodeInputs, firstDifference } from './torch.ts'

/** A case: which fields it has depends on `op`. */
export interface TransformCase {
  readonly name: string
  readonly op: string
  readonly wrt?: string
  readonly inputs?: Readonly<Record<string, TensorJson>>
  readonly results?: Readonly<Record<string, TensorJson>>
  readonly x?: TensorJson
  readonly orders_0_to_5?: TensorJson
  readonly tol: { readonly rtol: number; readonly atol: number }
}

type Formula = (inputs: Tensors) => Tensor

const rnnUnrolled: Formula = ({ W, U, xs }) => {
  let h = np.zeros([W!.shape[0]!])
  for (const x of xs!) h = W!.matmul(h).add(U!.matmul(x)).tanh()
  return h.square().sum()
}

const newton: Formula = ({ a }) => {
  let x = a!.mul(0.5).add(0.5)
  for (let i = 0; i < 12; i++) x = x.add(a!.div(x)).mul(0.5)
  return x
}

// det of a 2×2 matrix, so that no decomposition is needed.
const logdet: Formula = ({ M }) => {
  const S = M!.matmul(M!.T).add(np.eye(2))
  return S.at(0, 0).mul(S.at(1, 1)).sub(S.at(0, 1).mul(S.at(1, 0))).log()
}

const formulas: Readonly<Record<string, Formula>> = {
  rosenbrock: ({ x }) => {
    const [head, tail] = [x!.at(':-1'), x!.at('1:')]
    return tail.sub(head.square()).square().mul(100).add(head.neg().add(1).square()).sum()
  },
  logsumexp_quadratic: ({ x, A }) =>
    np.log(A!.matmul(x!).exp().sum()).add(x!.square().sum().mul(0.5)),
  mlp: ({ x, W1, b1, W2, b2 }) => W2!.matmul(W1!.matmul(x!).add(b1!).tanh()).add(b2!),
  mlp_loss_weights: ({ W1, x, y }) => x!.matmul(W1!).tanh().sub(y!).square().mean(),
  conv_softplus: ({ w, x }) => nn.softplus(nn.functional.conv(x!, w!)).sum(),
  softmax: ({ x }) => nn.softmax(x!),
  rnn_unrolled: rnnUnrolled,
  logdet,
  polar: ({ x }) =>
    np.stack([x!.square().sum().sqrt(), np.arctan2(x!.at(1), x!.at(0))]),
  attention_q: ({ q, k, v }) =>
    nn.softmax(q!.matmul(k!.T).div(Math.sqrt(q!.shape[1]!))).matmul(v!),
  cumprod_sin: ({ x }) => lax.cumprod(x!.sin().mul(0.1).add(1), 0),
  sort_weighted: ({ x }) =>
    x!
      .sort()
      .mul(np.arange(1, x!.size + 1))
      .sum()
      .square(),
  gather_prod: ({ x }) =>
    x!
      .at(tensor([0, 2, 2, 1], { dtype: 'int32' }))
      .pow(3)
      .sum()
      .add(x!.at('1:').prod()),
  newton_sqrt: newton,
}

const derivatives = (c: TransformCase): Outcome => {
  const formula = formulas[c.name.split('/')[1]!]
  if (formula === undefined) return leftOut('the formula is not translated')
  const inputs = decodeInputs(c.inputs!)
  const f = (x: Tensor): Tensor => formula({ ...inputs, [c.wrt!]: x })
  const x = inputs[c.wrt!]!
  const tangent = decodeTensor(c.results!['tangent']!)
  const cotangent = decodeTensor(c.results!['cotangent']!)
  const scalar = (z: Tensor): Tensor => f(z).mul(cotangent).sum()
  const hvp = (z: Tensor): Tensor => jvp(grad(scalar), [z], [tangent])[1]
  const [value, jvpOut] = jvp(f, [x], [tangent])
  const got = {
    value,
    jvp: jvpOut,
    vjp: vjp(f, x)[1](cotangent)[0],
    jacobian: jacrev(f)(x),
    jacfwd: jacfwd(f)(x),
    hessian: hessian(scalar)(x),
    hvp: hvp(x),
    third_directional: jvp(hvp, [x], [tangent])[1],
  }
  const expected = { ...c.results!, jacfwd: c.results!['jacobian']! }
  return judge(firstDifference(got, expected, c, Object.keys(got)))
}

const scalars: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  poly_sin: (x) => x.pow(5).sub(x.pow(3).mul(3)).add(x.mul(2).sin()),
  tanh: (x) => x.tanh(),
  exp_of_sin: (x) => x.sin().exp(),
  softplus: (x) => nn.softplus(x),
  rational: (x) => x.div(x.square().add(1)),
  sigmoid: (x) => nn.sigmoid(x),
  logabs: (x) => x.abs().log(),
}

const nthDerivative = (c: TransformCase): Outcome => {
  const f = scalars[c.name.split('/')[1]!]
  if (f === undefined) return leftOut('the formula is not translated')
  const orders: ((x: Tensor) => Tensor)[] = [f]
  for (let n = 0; n < 5; n++) orders.push(grad(orders[n]!))
  const columns = orders.map((g) => vmap(g)(decodeTensor(c.x!)))
  const got = { orders: np.stack(columns, 1) }
  return judge(firstDifference(got, { orders: c.orders_0_to_5! }, c, ['orders']))
}

const perExample = (c: TransformCase): Outcome => {
  const { X, y, w, b } = decodeInputs(c.inputs!)
  const loss = (weights: Tensor, bias: Tensor, x: Tensor, label: Tensor): Tensor =>
    nn.losses.sigmoidBinaryCrossEntropy(x.dot(weights).add(bias), label)
  const inAxes = [null, null, 0, 0]
  const [gradW, gradB] = vmap(grad(loss, { argnums: [0, 1] }), { inAxes })(w!, b!, X!, y!)
  const got = { loss: vmap(loss, { inAxes })(w!, b!, X!, y!), grad_w: gradW, grad_b: gradB }
  return judge(firstDifference(got, c.results!, c, ['loss', 'grad_w', 'grad_b']))
}

const batchedJacobian = (c: TransformCase): Outcome => {
  const { X, W1 } = decodeInputs(c.inputs!)
  const f = (x: Tensor): Tensor => prims.tanh(W1!.matmul(x))
  return judge(
    firstDifference({ jacobian: vmap(jacrev(f))(X!) }, c.results!, c, ['jacobian']) ??
      firstDifference({ jacobian: vmap(jacfwd(f))(X!) }, c.results!, c, ['jacobian']),
  )
}

export const runTransform = (c: TransformCase): Outcome => {
  switch (c.op) {
    case 'derivatives':
      return derivatives(c)
    case 'nth_derivative':
      return nthDerivative(c)
    case 'per_example_grad':
      return perExample(c)
    case 'batched_jacobian':
      return batchedJacobian(c)
    default:
      return leftOut(`${c.op} is not known`)
  }
}
