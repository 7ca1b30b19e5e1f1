import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createDestinations,
  type DestinationRules,
} from '../../../../../engine/platform/node/effects/network/destination.ts';
import { NetworkRefusal } from '../../../../../engine/platform/node/effects/network/network-refusal.ts';

function destinations(rules: Partial<DestinationRules>, answers: string[] = []) {
  return createDestinations(
    { hosts: [], addresses: [], plainHttp: false, ...rules },
    'http',
    async () => answers.map((address) => ({ address })),
  );
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'let through';
  } catch (error) {
    assert.ok(error instanceof NetworkRefusal, String(error));
    assert.equal(error.wasSent, false);
    return error.code;
  }
}

test('a host is granted exactly, below a name, and at its port', () => {
  const { judge } = destinations({
    hosts: ['api.example.com', '*.example.org', 'p.example.com:8443', '*.q.example.com:81'],
  });
  const granted = [
    'https://api.example.com/',
    'https://api.example.com:443/x?y#z',
    'https://API.Example.COM/',
    'https://api.example.com./',
    'https://%61pi.example.com/',
    'https://ａｐｉ.example.com/',
    'http://api.example.com/',
    'https://a.example.org/',
    'https://a.b.example.org/',
    'https://p.example.com:8443/',
    'https://x.q.example.com:81/',
    'http://x.q.example.com:81/',
  ];
  for (const url of granted)
    assert.equal(
      codeOf(() => judge(url)),
      'let through',
      url,
    );
  const others = [
    'https://example.com/',
    'https://api.example.com:8443/',
    'https://api.example.com:80/',
    'https://api.example.com../',
    'https://xapi.example.com/',
    'https://api.example.com.evil.test/',
    'https://example.org/',
    'https://xexample.org/',
    'https://p.example.com/',
    'https://q.example.com:81/',
    'https://evil.test/#@api.example.com/',
    'https://evil.test\\@api.example.com/',
    'https://аpi.example.com/', // the first letter is Cyrillic
  ];
  for (const url of others)
    assert.equal(
      codeOf(() => judge(url)),
      'host-not-granted',
      url,
    );
});

test('a name before the host is refused, whatever it looks like', () => {
  const { judge } = destinations({ hosts: ['*.example.com', 'example.com'] });
  for (const url of [
    'https://user@example.com/',
    'https://user:password@example.com/',
    'https://:password@example.com/',
    'https://evil.test:80@example.com/',
  ]) {
    assert.equal(
      codeOf(() => judge(url)),
      'userinfo-refused',
      url,
    );
  }
  assert.throws(
    () => judge('https://u:hunter2@example.com/'),
    (error: Error) => {
      return !error.message.includes('hunter2');
    },
  );
});

test('other schemes and texts that are no URL are refused', () => {
  const { judge } = destinations({ hosts: ['example.com'] });
  for (const url of ['file:///etc/passwd', 'ftp://example.com/', 'ws://example.com/', 'data:,x']) {
    assert.equal(
      codeOf(() => judge(url)),
      'scheme-refused',
      url,
    );
  }
  for (const url of [
    '',
    '/path',
    'example.com',
    'https://',
    'https://a b/',
    'https://1.2.3.4.5/',
  ]) {
    assert.equal(
      codeOf(() => judge(url)),
      'invalid-url',
      url,
    );
  }
});

test('every way to write 127.0.0.1 is 127.0.0.1', () => {
  const forms = [
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '%31%32%37.1',
    '①②⑦.0.0.1',
  ];
  const closed = destinations({ hosts: ['127.0.0.1'] });
  const open = destinations({ hosts: ['127.0.0.1'], addresses: ['127.0.0.1/32'] });
  const named = destinations({ hosts: ['*.0.0.example', 'localhost'], addresses: ['0.0.0.0/0'] });
  for (const form of forms) {
    assert.equal(
      codeOf(() => closed.judge(`http://${form}/`)),
      'address-refused',
      form,
    );
    assert.equal(open.judge(`http://${form}/`).hostname, '127.0.0.1', form);
    assert.equal(
      codeOf(() => named.judge(`http://${form}/`)),
      'host-not-granted',
      form,
    );
  }
});

test('addresses in a URL are judged at once, also IPv4 inside of IPv6, zero and its short form', () => {
  const hosts = [
    '0.0.0.0',
    '10.0.0.1',
    '169.254.169.254',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
    '[64:ff9b::7f00:1]',
    '[fe80::1]',
  ];
  const { judge } = destinations({ hosts });
  for (const host of [...hosts, '0', '0x0', '167772161', '[0:0:0:0:0:0:0:1]', '[::ffff:7f00:1]']) {
    assert.equal(
      codeOf(() => judge(`https://${host}/`)),
      'address-refused',
      host,
    );
  }
});

test('a grant for what is below a name never covers an address', () => {
  assert.throws(() => destinations({ hosts: ['*.0.0.1'] }), TypeError);
  for (const host of ['', 'a/b', 'a@b', 'a?b', 'a:99999', '[::1', '999.1.1.1']) {
    assert.throws(() => destinations({ hosts: [host] }), TypeError, host);
  }
});

test('a URL that is let through names a host of the grant, whatever stood there', () => {
  const { judge } = destinations({ hosts: ['*.example.com'] });
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('@', '\\', '/', '#', '.example.com', '%2e', '。', '[', ':', '127.1'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      let url: URL;
      try {
        url = judge(`https://${parts.join('')}`);
      } catch (error) {
        assert.ok(error instanceof NetworkRefusal);
        return;
      }
      assert.match(url.hostname, /^.+\.example\.com$/);
      assert.equal(url.username + url.password, '');
      assert.equal(new URL(url.href).host, url.host);
    }),
    { numRuns: 1_000 },
  );
});

async function locateCode(
  rules: Partial<DestinationRules>,
  answers: string[],
  isSecure: boolean,
): Promise<string> {
  try {
    await destinations(rules, answers).locate('name.example', isSecure);
    return 'let through';
  } catch (error) {
    assert.ok(error instanceof NetworkRefusal, String(error));
    return error.code;
  }
}

test('one address that is not public among many refuses the name', async () => {
  assert.equal(await locateCode({}, ['8.8.8.8', '1.1.1.1'], true), 'let through');
  for (const bad of ['10.0.0.1', '::1', '169.254.169.254', '::ffff:10.0.0.1', 'fe80::1%eth0']) {
    assert.equal(await locateCode({}, ['8.8.8.8', bad], true), 'address-refused', bad);
    assert.equal(await locateCode({}, [bad, '8.8.8.8'], true), 'address-refused', bad);
  }
});

test('what a resolver answers that is no address refuses the name', async () => {
  for (const answers of [[], ['127.1'], ['8.8.8.8', 'evil.test'], ['0x8080808'], ['']]) {
    assert.equal(await locateCode({}, answers, true), 'address-refused', answers.join());
  }
});

test('without TLS only loopback is reached, unless the grant says so', async () => {
  const loopback = ['127.0.0.0/8', '::1/128'];
  assert.equal(await locateCode({}, ['8.8.8.8'], false), 'scheme-refused');
  assert.equal(await locateCode({ plainHttp: true }, ['8.8.8.8'], false), 'let through');
  assert.equal(
    await locateCode({ addresses: loopback }, ['127.0.0.1', '::1'], false),
    'let through',
  );
  assert.equal(
    await locateCode({ addresses: loopback }, ['127.0.0.1', '8.8.8.8'], false),
    'scheme-refused',
  );
  assert.equal(
    await locateCode({ addresses: ['10.0.0.0/8'] }, ['10.0.0.1'], false),
    'scheme-refused',
  );
  assert.equal(
    codeOf(() => destinations({ hosts: ['8.8.8.8'] }).judge('http://8.8.8.8/')),
    'scheme-refused',
  );
});

test('localhost and what is below it is 127.0.0.1, and nobody is asked', async () => {
  const { locate } = createDestinations(
    { hosts: [], addresses: ['127.0.0.1/32'], plainHttp: false },
    'http',
    () => assert.fail('a name was resolved'),
  );
  const expected = [{ address: '127.0.0.1', family: 4 }];
  assert.deepEqual(await locate('localhost', false), expected);
  assert.deepEqual(await locate('app.localhost', false), expected);
  assert.deepEqual(await locate('127.0.0.1', false), expected);
});
