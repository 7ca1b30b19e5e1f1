/* The host interface mashin@1 for executors written in C.
   All text is UTF-8 without a final zero; all documents are JSON. */
#ifndef MASHIN_H
#define MASHIN_H

#define MASHIN_IMPORT(name) \
  __attribute__((import_module("mashin"), import_name(name)))

MASHIN_IMPORT("get_input_len") int get_input_len(void);
MASHIN_IMPORT("get_input") void get_input(char *out);
MASHIN_IMPORT("set_output") void set_output(const char *json, int len);

/* -1 when the context has no such key. */
MASHIN_IMPORT("context_len") int context_len(const char *key, int key_len);
MASHIN_IMPORT("context_read") int context_read(const char *key, int key_len, char *out);

MASHIN_IMPORT("call_machine") void call_machine(const char *json, int len);
MASHIN_IMPORT("record_step") void record_step(const char *json, int len);

#endif
