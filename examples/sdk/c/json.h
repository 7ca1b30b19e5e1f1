/* Reads as much JSON as finding a member or walking a list takes; values stay JSON text. The
   host hands over well-formed JSON, so well-formedness is not checked again. A text whose `at`
   is 0 means: there is none. */
#ifndef JSON_H
#define JSON_H

#include "text.h"

/* The value of an object's member; keys are compared as they are written. */
struct text json_member(struct text object, const char *key);

/* What stands between the quotes of a JSON string. */
struct text json_inside_string(struct text value);

/* The inside of a list or object, for json_next. */
struct text json_enter(struct text value);

/* Takes the next item off `rest`; 0 when there is none left. */
int json_next(struct text *rest, struct text *item);

/* How many items a list has. */
int json_count(struct text list);

#endif
