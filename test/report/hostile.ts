/** Text that means harm to whoever shows it without care; the name says to whom. */
export const hostile: Readonly<Record<string, string>> = {
  'a page: an element': '<script>alert(1)</script>',
  'a page: the end of a script': '</script><img src=http://evil.invalid/x onerror=alert(1)>',
  'a page: the end of a style sheet': '</style><iframe src=http://evil.invalid/>',
  'a page: the end of an attribute': '" onmouseover="alert(1)" x="',
  'a page: the same with the other mark': "' onfocus='alert(1)' tabindex=1 x='",
  'a page: the end of a comment or section': '--><b>bold</b>]]>',
  'a page: an entity': '&lt;b&gt; &#60;b&#62; &bogus;',
  'a template': '${process.exit(1)} `id` {{7*7}}',
  'a spreadsheet: a formula': "=cmd|' /C calc'!A0",
  'a spreadsheet: a link': '=HYPERLINK("http://evil.invalid","open")',
  'a spreadsheet: plus': '+1+cmd()',
  'a spreadsheet: minus': '-2+3',
  'a spreadsheet: at': '@SUM(1)',
  'a spreadsheet: a tab first': '\t=1+1',
  'a spreadsheet: a return first': '\r=1+1',
  'a spreadsheet: a space first': ' =1+1',
  'a spreadsheet: full-width': '\uff1d1+1 \uff0b \uff0d \uff20',
  'a spreadsheet: in the next field': 'bent;=1+1;@SUM(1)',
  'a spreadsheet: the end of a field': 'a","=1+1","b',
  'a terminal: colour and title': '\u001b[31mred\u001b]0;owned\u0007',
  'a terminal: C1': '\u009b2J\u0085',
  'a file of lines': 'one\r\n{"type":"unit","id":"FFFFFFFE"}\nthree',
  'a file of lines: other separators': 'one\u2028two\u2029three\u000bfour\u000cfive',
  'XML: no character of it': 'nul \u0000 and \u0008 and \ufffe and \uffff',
  'UTF-8: half of a pair': 'half \ud83d of a pair',
  'a reader: another direction': 'user\u202etxt.exe\u202c \u2066x\u2069 \u200f',
  'a reader: nothing to see': 'zero\u200bwidth\u00ad\ufeff',
};

/** Text of good will that is shown as it is. */
export const foreign: Readonly<Record<string, string>> = {
  'right to left': 'לוח פגום: صدع في اللوحة',
  'four bytes': 'fell 😀🏭 twice 𝔘𝔫𝔦𝔱',
  'combining marks': 'Verschmutzte Prüfnadel, e\u0301',
};
