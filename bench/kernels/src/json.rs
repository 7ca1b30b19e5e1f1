//! A validator of JSON (RFC 8259) in UTF-8: tokens, grammar, escapes, depth.
#![no_std]

mod kernel;

static DOCUMENT: &[u8] = include_bytes!("document.json");
const MAX_DEPTH: usize = 64;

/// What a document holds.
#[derive(Default)]
struct Counts {
    objects: u32,
    arrays: u32,
    /// Members' names and strings.
    strings: u32,
    /// UTF-8 bytes of all strings, escapes resolved.
    string_bytes: u32,
    numbers: u32,
    /// The sum, modulo 2^32, of the numbers without fraction and exponent.
    integers: u32,
    literals: u32,
    depth: u32,
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    counts: Counts,
}

type Valid<T> = Result<T, ()>;

impl<'a> Reader<'a> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Valid<()> {
        if self.take() == byte { Ok(()) } else { Err(()) }
    }

    fn word(&mut self, word: &[u8]) -> Valid<()> {
        self.counts.literals += 1;
        word.iter().try_for_each(|&byte| self.expect(byte))
    }

    /// A document: one value. Nesting is kept on a stack of closing brackets.
    fn document(&mut self) -> Valid<()> {
        let mut open = [0u8; MAX_DEPTH];
        let mut depth = 0;
        loop {
            self.space();
            let bracket = self.peek();
            match bracket {
                b'{' | b'[' => {
                    if depth == MAX_DEPTH {
                        return Err(());
                    }
                    self.at += 1;
                    self.space();
                    let close = bracket + 2;
                    if bracket == b'{' {
                        self.counts.objects += 1;
                    } else {
                        self.counts.arrays += 1;
                    }
                    self.counts.depth = self.counts.depth.max(depth as u32 + 1);
                    if self.peek() != close {
                        open[depth] = close;
                        depth += 1;
                        if close == b'}' {
                            self.name()?;
                        }
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => self.string()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            loop {
                self.space();
                if depth == 0 {
                    return if self.at == self.text.len() { Ok(()) } else { Err(()) };
                }
                let close = open[depth - 1];
                let next = self.take();
                if next == close {
                    depth -= 1;
                } else if next == b',' {
                    if close == b'}' {
                        self.space();
                        self.name()?;
                    }
                    break;
                } else {
                    return Err(());
                }
            }
        }
    }

    fn name(&mut self) -> Valid<()> {
        self.string()?;
        self.space();
        self.expect(b':')
    }

    fn string(&mut self) -> Valid<()> {
        self.expect(b'"')?;
        self.counts.strings += 1;
        loop {
            let byte = self.take();
            let length = match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0x20..=0x7f => 1,
                0xc2..=0xdf => self.continued(1, 0x80..=0xbf)?,
                0xe0 => self.continued(2, 0xa0..=0xbf)?,
                0xed => self.continued(2, 0x80..=0x9f)?,
                0xe1..=0xef => self.continued(2, 0x80..=0xbf)?,
                0xf0 => self.continued(3, 0x90..=0xbf)?,
                0xf1..=0xf3 => self.continued(3, 0x80..=0xbf)?,
                0xf4 => self.continued(3, 0x80..=0x8f)?,
                _ => return Err(()),
            };
            self.counts.string_bytes += length;
        }
    }

    /// The bytes after the first of a character of several (RFC 3629 section 4).
    fn continued(&mut self, count: u32, first: core::ops::RangeInclusive<u8>) -> Valid<u32> {
        if !first.contains(&self.take()) {
            return Err(());
        }
        for _ in 1..count {
            if self.take() & 0xc0 != 0x80 {
                return Err(());
            }
        }
        Ok(count + 1)
    }

    /// The length in UTF-8 of what an escape stands for.
    fn escape(&mut self) -> Valid<u32> {
        match self.take() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(1),
            b'u' => match self.hex()? {
                0..=0x7f => Ok(1),
                0x80..=0x7ff => Ok(2),
                0xd800..=0xdbff => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    match self.hex()? {
                        0xdc00..=0xdfff => Ok(4),
                        _ => Err(()),
                    }
                }
                0xdc00..=0xdfff => Err(()),
                _ => Ok(3),
            },
            _ => Err(()),
        }
    }

    fn hex(&mut self) -> Valid<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = (self.take() as char).to_digit(16).ok_or(())?;
            value = value << 4 | digit;
        }
        Ok(value)
    }

    fn number(&mut self) -> Valid<()> {
        self.counts.numbers += 1;
        let negative = self.peek() == b'-';
        if negative {
            self.at += 1;
        }
        let leading_zero = self.peek() == b'0';
        let (digits, value) = self.digits()?;
        if leading_zero && digits > 1 {
            return Err(());
        }
        let mut whole = true;
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
            whole = false;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
            whole = false;
        }
        if whole {
            let signed = if negative { value.wrapping_neg() } else { value };
            self.counts.integers = self.counts.integers.wrapping_add(signed);
        }
        Ok(())
    }

    fn digits(&mut self) -> Valid<(u32, u32)> {
        let (mut count, mut value) = (0, 0u32);
        while let digit @ b'0'..=b'9' = self.peek() {
            value = value.wrapping_mul(10).wrapping_add((digit - b'0') as u32);
            count += 1;
            self.at += 1;
        }
        if count > 0 { Ok((count, value)) } else { Err(()) }
    }
}

/// A checksum of what the document holds, from the last of n readings; traps on an invalid one.
#[no_mangle]
pub extern "C" fn run(n: i32) -> i32 {
    let mut sum = 0;
    for _ in 0..n {
        let mut reader = Reader {
            // Read anew, so that no compiler takes the document for a constant of the code.
            text: unsafe { core::ptr::read_volatile(&DOCUMENT) },
            at: 0,
            counts: Counts::default(),
        };
        if reader.document().is_err() {
            core::arch::wasm32::unreachable()
        }
        let found = reader.counts;
        sum = [
            found.objects,
            found.arrays,
            found.strings,
            found.string_bytes,
            found.numbers,
            found.integers,
            found.literals,
            found.depth,
        ]
        .iter()
        .fold(0x811c_9dc5, |sum, &count| kernel::mix(sum, count));
    }
    sum as i32
}
