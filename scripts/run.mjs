// node scripts/run.mjs PROJECT ENTRY [ARGUMENT …]: sets the checkout up, then runs PROJECT/dist/ENTRY
// in this same process, so that the terminal, the exit code and signals are the program's own. For the
// same reason package.json starts it with `exec`: a shell in between would keep npm's signals to itself.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setup } from './setup.mjs'

const [project, entry, ...args] = process.argv.slice(2)
const code = setup(project)
if (code !== 0) {
  console.error(`${project} does not build; the errors are above.`)
  process.exit(code)
}

// Under npm one Ctrl-C arrives twice: from the terminal, and again from npm, which forwards it. The
// program must see one, as a second Ctrl-C commonly means "stop at once".
const sameKeyPress = 300 // milliseconds
const emit = process.emit.bind(process)
let lastInterrupt = Number.NEGATIVE_INFINITY
process.emit = (name, ...rest) => {
  if (name === 'SIGINT') {
    const now = performance.now()
    if (now - lastInterrupt < sameKeyPress) return true
    lastInterrupt = now
  }
  return emit(name, ...rest)
}

const program = join(root, project, 'dist', entry)
process.argv.splice(1, process.argv.length, program, ...args)
await import(pathToFileURL(program).href)
