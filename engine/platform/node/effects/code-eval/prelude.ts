/**
 * What is evaluated in a fresh context before the code that was given: functions that bring constants
 * in and texts out. They are made of what the language provides at that moment and look nothing up
 * later, so that code which replaces `JSON.stringify` or a prototype does not change them. Only its own
 * getters, proxies and `toJSON` run in them, as in any use of its values.
 */
export const PRELUDE = `'use strict';
(() => {
  const { parse, stringify } = JSON;
  const { slice } = String.prototype;
  const { apply } = Reflect;
  const NativeError = Error, NativeTypeError = TypeError;

  const bind = (text) => {
    const bindings = parse(text);
    for (const name of Object.keys(bindings)) {
      Object.defineProperty(globalThis, name, { value: bindings[name], enumerable: true });
    }
  };

  const refuse = (key, value) => {
    const type = typeof value;
    if (type === 'function' || type === 'symbol') throw new NativeTypeError('it holds a ' + type);
    if (type === 'number' && value - value !== 0) throw new NativeTypeError('it holds the number ' + value);
    return value;
  };
  const write = (value, most) => {
    const text = stringify(value, refuse) ?? 'null';
    return text.length > most ? undefined : text;
  };

  const say = (thrown) => (thrown instanceof NativeError ? thrown.name + ': ' + thrown.message : '' + thrown);
  const describe = (thrown, most) => {
    try {
      return apply(slice, say(thrown), [0, most]);
    } catch {
      return 'something that cannot be told';
    }
  };

  return { bind, write, describe };
})()`;
