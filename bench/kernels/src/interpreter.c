// An interpreter of a stack machine, running a program that sums the lengths of the Collatz sequences
// of 1 to n: one branch table, taken for every instruction.

#include "kernel.h"

enum { PUSH, LOAD, STORE, ADD, MUL, HALVE, IS_ODD, LESS, EQUAL, JUMP, JUMP_IF, HALT };
enum { NUMBER, VALUE, SUM, LIMIT, VARIABLES };
enum { LOOP = 4, STEP = 15, ODD = 41, NEXT = 53, DONE = 62 };

static const u8 CODE[] = {
    /*  0 */ PUSH, 1, STORE, NUMBER,
    /*  4 LOOP */ LOAD, LIMIT, LOAD, NUMBER, LESS, JUMP_IF, DONE,
    /* 11 */ LOAD, NUMBER, STORE, VALUE,
    /* 15 STEP */ LOAD, SUM, PUSH, 1, ADD, STORE, SUM,
    /* 22 */ LOAD, VALUE, PUSH, 1, EQUAL, JUMP_IF, NEXT,
    /* 29 */ LOAD, VALUE, IS_ODD, JUMP_IF, ODD,
    /* 34 */ LOAD, VALUE, HALVE, STORE, VALUE, JUMP, STEP,
    /* 41 ODD */ LOAD, VALUE, PUSH, 3, MUL, PUSH, 1, ADD, STORE, VALUE, JUMP, STEP,
    /* 53 NEXT */ LOAD, NUMBER, PUSH, 1, ADD, STORE, NUMBER, JUMP, LOOP,
    /* 62 DONE */ HALT,
};

static u32 stack[16];
static u32 variables[VARIABLES];

static void interpret(void) {
  u32 *top = stack;
  const u8 *next = CODE;
  for (;;) {
    switch (*next++) {
      case PUSH: *top++ = *next++; break;
      case LOAD: *top++ = variables[*next++]; break;
      case STORE: variables[*next++] = *--top; break;
      case ADD: top--; top[-1] += top[0]; break;
      case MUL: top--; top[-1] *= top[0]; break;
      case HALVE: top[-1] >>= 1; break;
      case IS_ODD: top[-1] &= 1; break;
      case LESS: top--; top[-1] = top[-1] < top[0]; break;
      case EQUAL: top--; top[-1] = top[-1] == top[0]; break;
      case JUMP: next = CODE + *next; break;
      case JUMP_IF: next = *--top ? CODE + *next : next + 1; break;
      case HALT: return;
      default: __builtin_trap();
    }
  }
}

RUN int run(int n) {
  variables[SUM] = 0;
  variables[LIMIT] = (u32)n;
  interpret();
  return (int)variables[SUM];
}
