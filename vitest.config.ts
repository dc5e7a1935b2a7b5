import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Memory searches share the cores with the file beside them.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Most of them wait for processes of their own, so that two files at a time keep two cores busy.
    maxWorkers: 2,
  },
});
