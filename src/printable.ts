/*
 * Text from outside (paths, reasons, a file's contents) must not move the cursor of a terminal, forge a line or turn
 * the direction of writing (CWE-150): control, format and unassigned characters and line separators are spelled out.
 */

/** `\u{1b}` for an escape character, and so on. */
export function printable(text: string): string {
  return spelledOut(text, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** JSON on one line, which means the same as the JSON that any other program makes of this value. */
export function printableJson(value: object): string {
  return spelledOut(JSON.stringify(value), jsonEscape);
}

function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function spelledOut(text: string, escape: (character: string) => string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escape);
}
