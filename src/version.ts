/** As in package.json, which a test holds it to: said by `--version` and in every leaf of the log. */
export const version = '0.1.0';
