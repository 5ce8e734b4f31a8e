/** A page that loads core, ops and jit file by file, as they are built. */
import type { Page } from './server.ts'

const imports = {
  ...Object.fromEntries(
    ['core', 'ops', 'jit'].map((name) => [`@cotangent/${name}`, `/packages/${name}/dist/index.js`]),
  ),
  immer: '/packages/core/node_modules/immer/dist/immer.production.mjs',
}

export const unbundledPage: Page = {
  headers: {},
  html: `<!doctype html><title>cotangent</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { grad, tensor } from '@cotangent/core'
  import { np } from '@cotangent/ops'
  import { jit } from '@cotangent/jit'
  const x = tensor([[1, 2], [3, 4]])
  const product = jit((a) => a.matmul(a))(x).toArray()
  const slope = jit(grad((a) => a.mul(a).sum()))(tensor([1, 2])).toArray()
  const large = np.ones([256, 256])
  const code = jit((a) => a.matmul(a)).lower(large).wasm === null ? 'js' : 'wasm'
  deliver(JSON.stringify({ product, slope, code }))
</script>`,
}
