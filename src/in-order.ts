/** So many are begun before one is waited for: enough for every thread, and little memory however long the list. */
const atOnce = 256;

/** What becomes of each item, in their order. */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<PromiseSettledResult<Result>> {
  for (let from = 0; from < items.length; from += atOnce)
    yield* await Promise.allSettled(items.slice(from, from + atOnce).map(work));
}
