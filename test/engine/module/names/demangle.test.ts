import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demangle } from '../../../../engine/module/names/demangle.ts';

/** From RFC 2603 and the tests of rustc-demangle. */
const V0: readonly (readonly [string, string])[] = [
  ['_RNvC6_123foo3bar', '123foo::bar'],
  [
    '_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y',
    'utf8_idents::საჭმელად_გემრიელი_სადილი',
  ],
  ['_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_', 'cc::spawn::{closure#0}::{closure#0}'],
  [
    '_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_',
    '<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::{closure#1}>::{closure#0}',
  ],
  [
    '_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std',
    'alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>',
  ],
  ['_RMC0INtC8arrayvec8ArrayVechKj7b_E', '<arrayvec::ArrayVec<u8, 123>>'],
  ['_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E', '<const_generic::Unsigned<11>>'],
  ['_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E', '<const_generic::Signed<-11>>'],
  ['_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb0_E', '<const_generic::Bool<false>>'],
  ['_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKca_E', "<const_generic::Char<'\\n'>>"],
  ['_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc2202_E', "<const_generic::Char<'∂'>>"],
  [
    '_RNvNvMCs4fqI2P2rA04_13const_genericINtB4_3FooKpE3foo3FOO',
    '<const_generic::Foo<_>>::foo::FOO',
  ],
  ['_RC3foo.llvm.9D1C9369', 'foo'],
  [
    '_RNvNtNtNtNtCs92dm3009vxr_4rand4rngs7adapter9reseeding4fork23FORK_HANDLER_REGISTERED.0.0',
    'rand::rngs::adapter::reseeding::fork::FORK_HANDLER_REGISTERED.0.0',
  ],
];

/** From the modules that rustc 1.63 and 1.95 write for wasm32, and the tests of rustc-demangle. */
const LEGACY: readonly (readonly [string, string])[] = [
  ['_ZN4core3fmt5write17h01f2a8a6cf5bd4e1E', 'core::fmt::write'],
  ['_ZN3foo17h05af221e174051e9E', 'foo'],
  [
    '_ZN3std9panicking19begin_panic_handler28_$u7b$$u7b$closure$u7d$$u7d$17hbd4ce6e0f8d5b8b1E',
    'std::panicking::begin_panic_handler::{{closure}}',
  ],
  [
    '_ZN50_$LT$$RF$mut$u20$W$u20$as$u20$core..fmt..Write$GT$9write_str17h0123456789abcdefE',
    '<&mut W as core::fmt::Write>::write_str',
  ],
  ['_ZN8$RF$test17h05af221e174051e9E', '&test'],
  ['_ZN3foo17h05af221e174051e9E.llvm.9D1C9369', 'foo'],
];

const CPP: readonly (readonly [string, string])[] = [
  ['_Z3foov', 'foo'],
  ['_ZN5Class6methodEi', 'Class::method'],
  ['_ZNK5Class6methodEv', 'Class::method'],
  ['_ZN5ClassC1Ev', 'Class::Class'],
  ['_ZN5ClassD2Ev', 'Class::~Class'],
  ['_ZN12_GLOBAL__N_13barEv', '(anonymous namespace)::bar'],
  ['_ZSt9terminatev', 'std::terminate'],
];

for (const [title, vectors] of [
  ['Rust v0 symbols', V0],
  ['Rust legacy symbols', LEGACY],
  ['C++ names', CPP],
] as const) {
  test(`demangles ${title}`, () => {
    for (const [symbol, expected] of vectors) assert.equal(demangle(symbol), expected);
  });
}

test('leaves what it cannot read as it is', () => {
  for (const name of [
    'plan',
    '',
    '_R',
    '_RNv',
    '_RNvC6_123foo',
    '_RB_',
    '_RIB_E',
    '_ZN',
    '_ZN99foo',
    '_ZNSt3__212basic_stringIcE6appendEPKc',
    '~lib/rt/stub/__alloc',
    `_RNvC3foo${'u'.repeat(9000)}`,
  ]) {
    assert.equal(demangle(name), name);
  }
});

test('is not drawn into an exponential or a bottomless symbol', () => {
  const explosion = `_RMC0${'T'.repeat(40)}p${Array.from({ length: 40 }, (_, i) => `B${(42 - i).toString(36)}_E`).join('')}`;
  const deep = `_RMC0${'R'.repeat(7000)}u`;
  assert.equal(demangle(explosion), explosion);
  assert.equal(demangle(deep), deep);
});
