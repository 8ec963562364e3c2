/**
 * Three projects, by what they need: unit (nothing), kernel (root and a kernel; works in throw-away network namespaces)
 * and engine (real Docker engines). The fastest run first, so that a plain mistake shows at once. The order begins at 1:
 * vitest moves a project of order 0 to the end where it has one worker only, as on two cores.
 */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const exclude = ['**/node_modules/**', '**/dist/**']

// biome-ignore lint/style/noDefaultExport: vitest reads the default export of its configuration
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, 'test/kernel/**', 'test/engine/**'],
          // A machine may have other things to do.
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'engine',
          globalSetup: 'test/engine/build-plugin.ts',
          include: ['test/engine/**/*.test.ts'],
          exclude,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
