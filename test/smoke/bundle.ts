/** One file of everything that a module imports, made of the packages as they are built. */
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** The text of a module with all that it imports, and what the bundler had to say about it. */
export const bundle = async (
  entry: URL,
  platform: 'browser' | 'node',
): Promise<{ readonly code: string; readonly warnings: readonly string[] }> => {
  const warnings: string[] = []
  const build = await rolldown({
    input: fileURLToPath(entry),
    platform,
    onLog: (_, log) => warnings.push(log.message),
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  await build.close()
  return { code: output[0].code, warnings }
}
