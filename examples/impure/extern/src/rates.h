#include "text.h"

int rate_in_millionths(struct text currency);
