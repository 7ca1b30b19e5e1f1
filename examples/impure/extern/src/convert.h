#include "text.h"

int convert(int cents, struct text currency);
