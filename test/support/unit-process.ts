import type * as unitProcess from '../../src/unit/unit-process.ts';

/** The built one: it starts the built unit process, bin/unit.js, beside it. */
const built = new URL('../../dist/src/unit/unit-process.js', import.meta.url).href;
export const { UnitProcess } = (await import(built)) as typeof unitProcess;
