import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createAddressRules,
  isLoopback,
  parseAddress,
} from '../../../../../engine/platform/node/effects/network/address.ts';

/** IANA IPv4 Special-Purpose Address Registry: blocks that are not globally reachable, and multicast. */
const IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '255.255.255.255/32',
];

/** IANA IPv6 Special-Purpose Address Registry, likewise, with what is not assigned for global unicast. */
const IPV6 = [
  '::/128',
  '::1/128',
  '64:ff9b:1::/48',
  '100::/64',
  '100:0:0:1::/64',
  '2001::/32',
  '2001:2::/48',
  '2001:10::/28',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

const special = new BlockList();
for (const block of IPV4) special.addSubnet(...halves(block), 'ipv4');
for (const block of IPV6) special.addSubnet(...halves(block), 'ipv6');

function halves(block: string): [string, number] {
  const [net = '', bits = ''] = block.split('/');
  return [net, Number(bits)];
}

const noGrants = createAddressRules([]);

function purpose(text: string, rules = noGrants): string | undefined {
  const address = parseAddress(text);
  assert.ok(address, text);
  return rules.judge(address);
}

const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(byte, byte, byte, byte).map((parts) => parts.join('.'));
const group = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constant(0));
const ipv6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((parts) => parts.map((part) => part.toString(16)).join(':'));

/** An address of one of the blocks: its first bits, and any bits after them. */
function within(blocks: readonly string[], bitsOfAll: 32 | 128): fc.Arbitrary<string> {
  const limit = (1n << BigInt(bitsOfAll)) - 1n;
  return fc
    .tuple(fc.constantFrom(...blocks), fc.bigInt({ min: 0n, max: limit }))
    .map(([block, any]) => {
      const [net, bits] = halves(block);
      const rest = BigInt(bitsOfAll - bits);
      const value = (toNumber(net) & ~((1n << rest) - 1n)) | (any & ((1n << rest) - 1n));
      return bitsOfAll === 32 ? dotted(value) : colons(value);
    });
}

function toNumber(address: string): bigint {
  const size = address.includes(':') ? 4 : 2;
  const digits = address.includes(':')
    ? groupsOf(address)
    : address.split('.').map((part) => Number(part).toString(16));
  return BigInt(`0x${digits.map((part) => part.padStart(size, '0')).join('')}`);
}

function groupsOf(address: string): string[] {
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail === '' ? [] : tail.split(':');
  return [...before, ...Array<string>(8 - before.length - behind.length).fill('0'), ...behind];
}

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function colons(value: bigint): string {
  const hex = value.toString(16).padStart(32, '0');
  return (hex.match(/.{4}/g) ?? []).join(':');
}

test('no address that a registry calls special is taken for public', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, within(IPV4, 32)), (address) => {
      fc.pre(special.check(address, 'ipv4'));
      assert.ok(purpose(address) !== undefined, address);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.oneof(ipv6, within(IPV6, 128)), (address) => {
      fc.pre(special.check(address, 'ipv6'));
      assert.ok(purpose(address) !== undefined, address);
    }),
    { numRuns: 2_000 },
  );
});

test('no special IPv4 address gets through inside of an IPv6 address', () => {
  fc.assert(
    fc.property(within(IPV4, 32), (address) => {
      const hex = toNumber(address).toString(16).padStart(8, '0');
      const tail = `${hex.slice(0, 4)}:${hex.slice(4)}`;
      const inverted = (toNumber(address) ^ 0xffff_ffffn).toString(16).padStart(8, '0');
      for (const form of [
        `::ffff:${address}`,
        `::ffff:${tail}`,
        `::${address}`,
        `::ffff:0:${tail}`,
        `64:ff9b::${tail}`,
        `64:ff9b:1::${tail}`,
        `2002:${tail}::1`,
        `2001:0:${tail}::1`,
        `2001:0:4136:e378:8000:63bf:${inverted.slice(0, 4)}:${inverted.slice(4)}`,
      ]) {
        assert.ok(purpose(form) !== undefined, form);
      }
    }),
    { numRuns: 500 },
  );
});

test('no IPv6 address outside of global unicast is public, unless it leads to a public IPv4 address', () => {
  fc.assert(
    fc.property(ipv6, (address) => {
      const first = Number.parseInt(address.split(':')[0] ?? '', 16);
      const leadsElsewhere = /^(?:0:0:0:0:0:ffff|64:ff9b:0:0:0:0):/.test(address);
      fc.pre(first >> 13 !== 1 && !leadsElsewhere);
      assert.ok(purpose(address) !== undefined, address);
    }),
    { numRuns: 1_000 },
  );
});

test('public addresses are let through, also those that NAT64 and mapping lead to', () => {
  for (const address of [
    '1.1.1.1',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ]) {
    assert.equal(purpose(address), undefined, address);
  }
});

test('the endpoints at which clouds keep the keys of their machines are refused', () => {
  for (const address of [
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    '::ffff:a9fe:a9fe',
  ]) {
    assert.ok(purpose(address) !== undefined, address);
  }
});

test('a granted block lets its own addresses through, in any form, and no others', () => {
  const rules = createAddressRules(['10.1.0.0/16', 'fd12::/16']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd12:1::1']) {
    assert.equal(purpose(address, rules), undefined, address);
  }
  for (const address of ['10.2.0.1', '127.0.0.1', 'fd13::1', '::ffff:10.2.0.1', '2002:a01:203::']) {
    assert.ok(purpose(address, rules) !== undefined, address);
  }
});

test('what is no plain block or address is refused', () => {
  for (const block of ['10.0.0.0', '10/8', '010.0.0.0/8', '10.0.0.0/33', 'x/8', '', '::/129']) {
    assert.throws(() => createAddressRules([block]), TypeError, block);
  }
  for (const text of [
    '',
    'localhost',
    '127.1',
    '0x7f000001',
    '0177.0.0.1',
    '2130706433',
    '1.2.3',
  ]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test('loopback is told in every form', () => {
  const is = (text: string) => {
    const address = parseAddress(text);
    return address !== undefined && isLoopback(address);
  };
  assert.ok(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(is));
  assert.ok(!['128.0.0.1', '::2', '0.0.0.0', '::', '10.0.0.1'].some(is));
});
