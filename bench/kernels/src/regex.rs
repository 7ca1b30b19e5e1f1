//! Regular expressions: a parser, a compiler to a small program, and its simulation without
//! backtracking (Thompson 1968; priorities of threads as in Pike's sam), which finds what a
//! backtracking matcher finds, in linear time.
#![no_std]

mod kernel;

static TEXT: &[u8] = include_bytes!("text.txt");

/// What is sought. Bytes, `.`, classes, groups, `|`, `*`, `+`, `?`, `\b`; greedy.
static PATTERNS: [&[u8]; 4] = [
    br"[a-z]+ing\b",
    br"`[^`]*`",
    br"(sign|verif|certif)[a-z]*",
    br"[A-Z][a-z]+( [A-Z][a-z]+)+|[0-9]+(,[0-9]+)*( bytes| KB)?",
];

const MAX_PROGRAM: usize = 96;

#[derive(Clone, Copy)]
enum Step {
    /// One byte of a set.
    Set([u32; 8]),
    /// Goes on at both places; the first has priority.
    Split(usize, usize),
    Jump(usize),
    WordBoundary,
    Match,
}

struct Program {
    steps: [Step; MAX_PROGRAM],
    length: usize,
}

impl Program {
    fn push(&mut self, step: Step) -> usize {
        self.steps[self.length] = step;
        self.length += 1;
        self.length - 1
    }

    /// Makes room for a step before those from `at` on, whose targets move along.
    fn insert(&mut self, at: usize, step: Step) {
        let moved = |target: usize| if target >= at { target + 1 } else { target };
        let mut i = self.length;
        while i > at {
            self.steps[i] = match self.steps[i - 1] {
                Step::Split(a, b) => Step::Split(moved(a), moved(b)),
                Step::Jump(a) => Step::Jump(moved(a)),
                other => other,
            };
            i -= 1;
        }
        self.steps[at] = step;
        self.length += 1;
    }
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    program: Program,
}

impl<'a> Parser<'a> {
    fn compile(pattern: &'a [u8]) -> Program {
        let program = Program {
            steps: [Step::Match; MAX_PROGRAM],
            length: 0,
        };
        let mut parser = Parser {
            pattern,
            at: 0,
            program,
        };
        parser.alternatives();
        parser.program.push(Step::Match);
        parser.program
    }

    fn peek(&self) -> u8 {
        self.pattern.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self) -> u8 {
        self.at += 1;
        self.pattern[self.at - 1]
    }

    fn alternatives(&mut self) {
        let start = self.program.length;
        self.sequence();
        if self.peek() != b'|' {
            return;
        }
        self.at += 1;
        self.program.insert(start, Step::Match);
        let over = self.program.push(Step::Match);
        self.program.steps[start] = Step::Split(start + 1, over + 1);
        self.alternatives();
        self.program.steps[over] = Step::Jump(self.program.length);
    }

    fn sequence(&mut self) {
        while !matches!(self.peek(), 0 | b'|' | b')') {
            let start = self.program.length;
            self.atom();
            self.repeat(start);
        }
    }

    fn repeat(&mut self, start: usize) {
        match self.peek() {
            b'*' => {
                self.program.insert(start, Step::Match);
                let end = self.program.push(Step::Jump(start));
                self.program.steps[start] = Step::Split(start + 1, end + 1);
            }
            b'+' => {
                let end = self.program.length;
                self.program.push(Step::Split(start, end + 1));
            }
            b'?' => {
                self.program.insert(start, Step::Match);
                self.program.steps[start] = Step::Split(start + 1, self.program.length);
            }
            _ => return,
        }
        self.at += 1;
    }

    fn atom(&mut self) {
        match self.take() {
            b'(' => {
                self.alternatives();
                self.at += 1;
            }
            b'[' => {
                let set = self.class();
                self.program.push(Step::Set(set));
            }
            b'.' => {
                let mut set = [u32::MAX; 8];
                set[0] &= !(1 << b'\n');
                self.program.push(Step::Set(set));
            }
            b'\\' => match self.take() {
                b'b' => {
                    self.program.push(Step::WordBoundary);
                }
                byte => self.byte(byte),
            },
            byte => self.byte(byte),
        }
    }

    fn byte(&mut self, byte: u8) {
        let mut set = [0; 8];
        add(&mut set, byte);
        self.program.push(Step::Set(set));
    }

    fn class(&mut self) -> [u32; 8] {
        let negated = self.peek() == b'^';
        if negated {
            self.at += 1;
        }
        let mut set = [0; 8];
        while self.peek() != b']' {
            let first = self.take();
            let mut last = first;
            if self.peek() == b'-' {
                self.at += 1;
                last = self.take();
            }
            (first..=last).for_each(|byte| add(&mut set, byte));
        }
        self.at += 1;
        if negated { set.map(|word| !word) } else { set }
    }
}

fn add(set: &mut [u32; 8], byte: u8) {
    set[byte as usize / 32] |= 1 << (byte % 32);
}

fn holds(set: &[u32; 8], byte: u8) -> bool {
    set[byte as usize / 32] >> (byte % 32) & 1 == 1
}

/// Places in the program, in the order of their priority, each once.
struct Threads {
    places: [usize; MAX_PROGRAM],
    count: usize,
    /// The round in which a place was added last.
    added: [u32; MAX_PROGRAM],
    round: u32,
}

impl Threads {
    fn new() -> Self {
        Threads {
            places: [0; MAX_PROGRAM],
            count: 0,
            added: [0; MAX_PROGRAM],
            round: 0,
        }
    }

    fn clear(&mut self) {
        self.count = 0;
        self.round += 1;
    }

    /// Adds a place, and those that are reached from it without reading a byte.
    fn add(&mut self, program: &Program, place: usize, text: &[u8], position: usize) {
        if self.added[place] == self.round {
            return;
        }
        self.added[place] = self.round;
        match program.steps[place] {
            Step::Jump(to) => self.add(program, to, text, position),
            Step::Split(first, second) => {
                self.add(program, first, text, position);
                self.add(program, second, text, position);
            }
            Step::WordBoundary => {
                if is_boundary(text, position) {
                    self.add(program, place + 1, text, position);
                }
            }
            Step::Set(_) | Step::Match => {
                self.places[self.count] = place;
                self.count += 1;
            }
        }
    }
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.map_or(false, |&b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_boundary(text: &[u8], position: usize) -> bool {
    let before = position.checked_sub(1).and_then(|at| text.get(at));
    is_word(before) != is_word(text.get(position))
}

/// The end of the match that starts at `start`, if there is one.
fn match_at(
    program: &Program,
    threads: &mut [Threads; 2],
    text: &[u8],
    start: usize,
) -> Option<usize> {
    let [first, second] = threads;
    let (mut now, mut next) = (first, second);
    let mut end = None;
    let mut position = start;
    now.clear();
    now.add(program, 0, text, position);
    while now.count > 0 {
        next.clear();
        for &place in &now.places[..now.count] {
            match &program.steps[place] {
                Step::Set(set) => {
                    if text.get(position).map_or(false, |&byte| holds(set, byte)) {
                        next.add(program, place + 1, text, position + 1);
                    }
                }
                // Threads of lower priority are given up.
                _ => {
                    end = Some(position);
                    break;
                }
            }
        }
        core::mem::swap(&mut now, &mut next);
        position += 1;
    }
    end
}

/// A checksum of the places of all matches of the first n patterns.
#[no_mangle]
pub extern "C" fn run(n: i32) -> i32 {
    let mut sum = 0x811c_9dc5;
    let mut threads = [Threads::new(), Threads::new()];
    for pattern in &PATTERNS[..n as usize] {
        let program = Parser::compile(pattern);
        let mut position = 0;
        while position < TEXT.len() {
            match match_at(&program, &mut threads, TEXT, position) {
                Some(end) if end > position => {
                    sum = kernel::mix(kernel::mix(sum, position as u32), end as u32);
                    position = end;
                }
                _ => position += 1,
            }
        }
    }
    sum as i32
}
