import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// Tests run from the sources, so a failing line is a line of TypeScript and no build is needed.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@cotangent\/(bench|examples)\/(.+)$/, replacement: here('./$1/$2.ts') },
      { find: /^@cotangent\/(\w+)$/, replacement: here('./packages/$1/src/index.ts') },
      { find: /^cotangent$/, replacement: here('./packages/cotangent/src/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'packages/*/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    setupFiles: ['test/seed.ts'],
    // By itself vitest leaves one core alone.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
