// SPDX-License-Identifier: Apache-2.0
// JSON in a URL (src/dialect/json_reader.cc). A value has a kind, which is its first letter, and a
// text, names and items; JSON.parse would lose the texts of numbers and the order of members.

const DIT_TOKENS =
  /"([^"\\]|\\(["\\\/bfnrt]|u[\da-fA-F]{4}))*"|-?\d+(\.\d+)?([eE][+-]?\d+)?|\w+|[^ \t\r\n]/g;

function ditText(text) {
  return {kind: '"', text: text, names: [], items: []};
}

// The bytes of an escape, or of several of code units.
function ditEscape(text) {
  const alone = text.replace(/\\u[dD][89abAB]..\\u[dD][c-fC-F]../g, '');
  if (alone.search(/\\u[dD][89a-fA-F]/) >= 0) wrong();
  return unescaped(encodeURIComponent(JSON.parse('"' + text + '"')));
}

function ditString(token) {
  if (!token || token[0] !== '"' || token.length < 2 || token.search(/[\x00-\x1f]/) >= 0) wrong();
  return token.slice(1, -1).replace(/(\\u....)+|\\./g, ditEscape);
}

function ditItems(tokens, value, depth) {
  const close = value.kind === '{' ? '}' : ']';
  if (depth > 8) wrong();
  let next = ',';
  if (tokens[tokens.length - 1] === close) next = tokens.pop();
  while (next !== close) {
    if (next !== ',') wrong();
    if (close === '}') {
      value.names.push(ditString(tokens.pop()));
      if (tokens.pop() !== ':') wrong();
    }
    value.items.push(ditValue(tokens, depth));
    next = tokens.pop();
  }
}

// `tokens`: the next one is the last.
function ditValue(tokens, depth) {
  const token = tokens.pop() || '';
  const value = ditText('');
  value.kind = token[0];
  if (token === '{' || token === '[') ditItems(tokens, value, depth + 1);
  else if (token[0] === '"') value.text = ditString(token);
  else if (isAmong('null true false', token) || token.search(/^-?(0(?!\d)|[1-9])/) >= 0) {
    value.text = token;
  } else {
    wrong();
  }
  return value;
}

function ditJson(text) {
  if (text.length > 8192 || !isUtf8(text)) wrong();
  const tokens = text.match(DIT_TOKENS).reverse();
  const value = ditValue(tokens, 0);
  if (tokens.length) wrong();
  return value;
}

// The last of that name; undefined: there is none.
function ditMember(value, name) {
  return value.items[value.names.lastIndexOf(name)];
}

// Empty where there is none.
function ditMemberText(value, name) {
  const member = ditMember(value, name);
  return member && member.kind === '"' ? member.text : '';
}
