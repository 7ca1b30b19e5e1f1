#include "convert.h"
#include "rates.h"

int convert(int cents, struct text currency) {
  return (int)((long long)cents * rate_in_millionths(currency) / 1000000);
}
